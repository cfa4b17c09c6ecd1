import type { AutonomyLevel, Open } from "@daemon-sdk/protocol";
import { textOf } from "./content.js";
import type { SessionOptions } from "./session-options.js";

/** Modes that ask before an agent changes anything, the most usual first (docs/wire/acp.md#options). */
const ASKING_MODES = ["default", "read-only", "ask"];
/** Modes that approve some or all tools without a person. */
const APPROVING_MODES = new Set(["auto", "agent", "acceptEdits", "autoEdit", "auto-edit", "bypassPermissions", "yolo"]);

/**
 * The mode to set before the first prompt: a configured one, else one that asks when the agent started in one that approves by
 * itself. Undefined when the agent's own mode may stay. The session's autonomy decides, not the agent's default.
 */
export function askingMode(
  options: SessionOptions,
  configured: string | undefined,
  autonomy: Open<AutonomyLevel> | undefined,
): string | undefined {
  if (configured !== undefined) return configured;
  const mode = options.list.find(({ category }) => category === "mode");
  const isApproving = APPROVING_MODES.has(textOf(mode?.value) ?? "");
  if (mode === undefined || !isApproving || autonomy === "high") return undefined;
  return ASKING_MODES.find((name) => mode.values?.some(({ value }) => value === name));
}
