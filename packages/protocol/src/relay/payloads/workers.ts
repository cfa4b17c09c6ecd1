import type { Open } from "../../session/index.js";
import { anything, flag, integer, listOf, number, object, optional, record, text } from "../description/index.js";
import type { SpeakOnTrigger } from "../message-types.js";

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

const spawn = object<SpawnPayload>({
  name: text,
  cli: text,
  task: text,
  team: optional(text),
  cwd: optional(text),
  model: optional(text),
  socketPath: optional(text),
  spawnerName: optional(text),
  interactive: optional(flag),
  shadowMode: optional(text),
  shadowOf: optional(text),
  shadowAgent: optional(text),
  shadowTriggers: optional(listOf(text)),
  shadowSpeakOn: optional(listOf(text)),
  userId: optional(text),
  includeWorkflowConventions: optional(flag),
});

/** Fields of every result of the spawn family. */
export interface WorkerResultPayload {
  /** Id of the request. The result's own id is a new one. */
  replyTo: string;
  success: boolean;
  name: string;
  error?: string;
}

const RESULT_FIELDS = { replyTo: text, success: flag, name: text, error: optional(text) } as const;

const workerResult = object<WorkerResultPayload>(RESULT_FIELDS);

/** SPAWN_RESULT: whether the agent runs, and its process id. */
export interface SpawnResultPayload extends WorkerResultPayload {
  pid?: number;
  policyDecision?: unknown;
}

const spawnResult = object<SpawnResultPayload>({
  ...RESULT_FIELDS,
  pid: optional(integer),
  policyDecision: optional(anything),
});

/** RELEASE: stops an agent. */
export interface ReleasePayload {
  name: string;
  reason?: string;
}

const release = object<ReleasePayload>({ name: text, reason: optional(text) });

/** SEND_INPUT: text for an agent's terminal or stdin. */
export interface SendInputPayload {
  name: string;
  data: string;
}

const sendInput = object<SendInputPayload>({ name: text, data: text });

/** SET_MODEL: another model for a running agent. */
export interface SetModelPayload {
  name: string;
  model: string;
  /** Default 30 s. */
  timeoutMs?: number;
}

const setModel = object<SetModelPayload>({ name: text, model: text, timeoutMs: optional(number) });

/** SET_MODEL_RESULT: the agent's model from now on. */
export interface SetModelResultPayload extends WorkerResultPayload {
  model: string;
  previousModel?: string;
}

const setModelResult = object<SetModelResultPayload>({
  ...RESULT_FIELDS,
  model: text,
  previousModel: optional(text),
});

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

const workerSummary = object<WorkerSummary>({
  name: text,
  cli: text,
  task: text,
  team: optional(text),
  spawnerName: optional(text),
  spawnedAt: number,
  pid: optional(integer),
  model: optional(text),
  cwd: optional(text),
});

/** LIST_WORKERS_RESULT: the agents that were spawned and run. */
export interface ListWorkersResultPayload {
  /** Id of the request. */
  replyTo: string;
  workers: WorkerSummary[];
  error?: string;
}

const listWorkersResult = object<ListWorkersResultPayload>({
  replyTo: text,
  workers: listOf(workerSummary),
  error: optional(text),
});

/** Descriptions of the requests about spawned agents and their results (https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#spawning). */
export const WORKER_PAYLOADS = {
  SPAWN: spawn,
  SPAWN_RESULT: spawnResult,
  RELEASE: release,
  RELEASE_RESULT: workerResult,
  SEND_INPUT: sendInput,
  SEND_INPUT_RESULT: workerResult,
  SET_MODEL: setModel,
  SET_MODEL_RESULT: setModelResult,
  LIST_WORKERS: record,
  LIST_WORKERS_RESULT: listWorkersResult,
} as const;
