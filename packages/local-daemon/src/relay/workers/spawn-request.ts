import type { SpawnPayload } from "@daemon-sdk/protocol/relay";
import { agentNameFault, isReservedName } from "../names/index.js";

/** What decides about a SPAWN. Names match exactly, unless noted. */
export interface SpawnFacts {
  isRunning(name: string): boolean;
  isStarting(name: string): boolean;
  /** In upper or lower case. */
  isConnected(name: string): boolean;
  /** Whether somebody else's mail waits under that name. */
  isHeld(name: string): boolean;
  /** Another known name that looks like this one. */
  lookAlike(name: string): string | undefined;
  /** Whether an agent is configured under that name. */
  isConfigured(cli: string): boolean;
  /** The configured names, for the refusal's text. */
  readonly configured: readonly string[];
}

/**
 * Why a SPAWN is refused, or undefined when it is not. Checks in the order of the original (docs/wire/relay.md#spawning): the
 * name's form, whether it is running, starting or connected, and then the program.
 */
export function spawnFault({ name, cli }: SpawnPayload, facts: SpawnFacts): string | undefined {
  if (/\.\.|[/\\]/.test(name)) {
    return `Agent name ${JSON.stringify(name)} contains path traversal characters: "..", "/" or "\\". Choose another.`;
  }
  const fault = agentNameFault(name);
  if (fault !== undefined) return `${fault}. Choose another.`;
  if (isReservedName(name)) return `Agent name "${name}" is reserved for system use. Choose another.`;
  if (facts.isRunning(name)) return `Agent "${name}" is already running. Release it, or choose another name.`;
  if (facts.isStarting(name)) return `Spawn of agent "${name}" is already in progress. Wait for its result.`;
  if (facts.isConnected(name)) return `Agent "${name}" is already connected. Choose another name.`;
  if (facts.isHeld(name)) return `Mail waits for agent "${name}", which has another owner. Choose another name.`;
  const other = facts.lookAlike(name);
  if (other !== undefined) return `Agent name "${name}" looks like "${other}", which is known. Choose another.`;
  if (facts.isConfigured(cli)) return undefined;
  return `No agent is configured as "${cli}". Known ones: ${facts.configured.join(", ")}.`;
}
