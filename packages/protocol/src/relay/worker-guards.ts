import { isRecord } from "../session/guards.js";
import { isAnything, isFiniteNumber, isFlag, isInteger, isText, listOf, optional, shape } from "./shape.js";
import type {
  ListWorkersResultPayload,
  ReleasePayload,
  SendInputPayload,
  SetModelPayload,
  SetModelResultPayload,
  SpawnPayload,
  SpawnResultPayload,
  WorkerResultPayload,
  WorkerSummary,
} from "./worker-payloads.js";

const RESULT_FIELDS = { replyTo: isText, success: isFlag, name: isText, error: optional(isText) } as const;

const isWorkerResult = shape<WorkerResultPayload>(RESULT_FIELDS);

/**
 * Whether `value` is the payload of a SPAWN (docs/wire/relay.md#spawning). Paths and names are judged where they are
 * used.
 */
export const isSpawnPayload = shape<SpawnPayload>({
  name: isText,
  cli: isText,
  task: isText,
  team: optional(isText),
  cwd: optional(isText),
  model: optional(isText),
  socketPath: optional(isText),
  spawnerName: optional(isText),
  interactive: optional(isFlag),
  shadowMode: optional(isText),
  shadowOf: optional(isText),
  shadowAgent: optional(isText),
  shadowTriggers: optional(listOf(isText)),
  shadowSpeakOn: optional(listOf(isText)),
  userId: optional(isText),
  includeWorkflowConventions: optional(isFlag),
});

/** Guards of the requests about spawned agents and their results (docs/wire/relay.md#spawning). */
export const WORKER_GUARDS = {
  SPAWN: isSpawnPayload,
  SPAWN_RESULT: shape<SpawnResultPayload>({
    ...RESULT_FIELDS,
    pid: optional(isInteger),
    policyDecision: optional(isAnything),
  }),
  RELEASE: shape<ReleasePayload>({ name: isText, reason: optional(isText) }),
  RELEASE_RESULT: isWorkerResult,
  SEND_INPUT: shape<SendInputPayload>({ name: isText, data: isText }),
  SEND_INPUT_RESULT: isWorkerResult,
  SET_MODEL: shape<SetModelPayload>({ name: isText, model: isText, timeoutMs: optional(isFiniteNumber) }),
  SET_MODEL_RESULT: shape<SetModelResultPayload>({ ...RESULT_FIELDS, model: isText, previousModel: optional(isText) }),
  LIST_WORKERS: isRecord,
  LIST_WORKERS_RESULT: shape<ListWorkersResultPayload>({
    replyTo: isText,
    workers: listOf(
      shape<WorkerSummary>({
        name: isText,
        cli: isText,
        task: isText,
        team: optional(isText),
        spawnerName: optional(isText),
        spawnedAt: isFiniteNumber,
        pid: optional(isInteger),
        model: optional(isText),
        cwd: optional(isText),
      }),
    ),
    error: optional(isText),
  }),
} as const;
