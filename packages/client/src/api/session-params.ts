import type { InitializeSessionParams } from "@daemon-sdk/protocol";
import type { DaemonSessionOptions } from "./session-options.js";

/** Options that are sent unchanged, under their own names. */
const PASSED_ON = [
  "sessionId",
  "modelId",
  "reasoningEffort",
  "interactionMode",
  "autonomyLevel",
  "specModeModelId",
  "specModeReasoningEffort",
  "enabledToolIds",
  "disabledToolIds",
  "compactionTokenLimit",
  "compactionThresholdCheckEnabled",
  "mcpServers",
  "sessionSource",
  "systemPrompt",
  "systemPromptOverride",
  "disableBuiltinSkills",
  "agent",
] as const satisfies readonly (keyof DaemonSessionOptions)[];

/**
 * Params of `initialize_session` for the options of `createSession`, with the defaults the original sends
 * (docs/wire/session.md#start-of-a-session).
 */
export function initializeParams(options: DaemonSessionOptions): Omit<InitializeSessionParams, "token"> {
  const passedOn = Object.fromEntries(
    PASSED_ON.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
  return {
    ...options.agentParams,
    ...passedOn,
    machineId: "default",
    cwd: options.cwd ?? ".",
    tags: [...(options.tags ?? []), { name: "sdk", metadata: { language: "typescript" } }],
  };
}
