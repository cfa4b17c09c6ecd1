import type { Open } from "../session/values.js";
import type { SpeakOnTrigger } from "./message-types.js";

// Facts of the wire: docs/wire/relay.md#spawning

/** SPAWN: start an agent. */
export interface SpawnPayload {
  name: string;
  cli: string;
  /** May be empty: the agent starts and waits. */
  task: string;
  team?: string;
  cwd?: string;
  model?: string;
  /** Ignored: the daemon's own is used. */
  socketPath?: string;
  /** Default: the requester. */
  spawnerName?: string;
  interactive?: boolean;
  shadowMode?: Open<"subagent" | "process">;
  shadowOf?: string;
  shadowAgent?: string;
  shadowTriggers?: Open<SpeakOnTrigger>[];
  shadowSpeakOn?: Open<SpeakOnTrigger>[];
  userId?: string;
  includeWorkflowConventions?: boolean;
}

/** What every result of the spawn family says. */
export interface WorkerResultPayload {
  /** Id of the request. The result's own id is a new one. */
  replyTo: string;
  success: boolean;
  name: string;
  error?: string;
}

/** SPAWN_RESULT: whether the agent runs, and as which process. */
export interface SpawnResultPayload extends WorkerResultPayload {
  pid?: number;
  policyDecision?: unknown;
}

/** RELEASE: end an agent. */
export interface ReleasePayload {
  name: string;
  reason?: string;
}

/** SEND_INPUT: text for an agent's terminal or stdin. */
export interface SendInputPayload {
  name: string;
  data: string;
}

/** SET_MODEL: another model for a running agent. */
export interface SetModelPayload {
  name: string;
  model: string;
  /** Default 30 s. */
  timeoutMs?: number;
}

/** SET_MODEL_RESULT: the agent's model from now on. */
export interface SetModelResultPayload extends WorkerResultPayload {
  model: string;
  previousModel?: string;
}

/** One running agent that was spawned. */
export interface WorkerSummary {
  name: string;
  cli: string;
  task: string;
  team?: string;
  spawnerName?: string;
  /** Unix milliseconds. */
  spawnedAt: number;
  pid?: number;
  model?: string;
  cwd?: string;
}

/** LIST_WORKERS_RESULT: the agents that were spawned and run. */
export interface ListWorkersResultPayload {
  /** Id of the request. */
  replyTo: string;
  workers: WorkerSummary[];
  error?: string;
}
