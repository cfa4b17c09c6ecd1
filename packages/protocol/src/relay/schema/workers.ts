import * as z from "zod/mini";

const text = z.string();
const optionalText = z.exactOptional(text);
const optionalFlag = z.exactOptional(z.boolean());
const optionalTexts = z.exactOptional(z.array(text));
const openRecord = z.record(z.string(), z.unknown());

const resultFields = { replyTo: text, success: z.boolean(), name: text, error: optionalText };

/** Schemas of the requests about spawned agents and their results (docs/wire/relay.md#spawning); other keys pass. */
export const WORKER_SCHEMAS = {
  SPAWN: z.looseObject({
    name: text,
    cli: text,
    task: text,
    team: optionalText,
    cwd: optionalText,
    model: optionalText,
    socketPath: optionalText,
    spawnerName: optionalText,
    interactive: optionalFlag,
    shadowMode: optionalText,
    shadowOf: optionalText,
    shadowAgent: optionalText,
    shadowTriggers: optionalTexts,
    shadowSpeakOn: optionalTexts,
    userId: optionalText,
    includeWorkflowConventions: optionalFlag,
  }),
  SPAWN_RESULT: z.looseObject({
    ...resultFields,
    pid: z.exactOptional(z.int()),
    policyDecision: z.exactOptional(z.unknown()),
  }),
  RELEASE: z.looseObject({ name: text, reason: optionalText }),
  RELEASE_RESULT: z.looseObject(resultFields),
  SEND_INPUT: z.looseObject({ name: text, data: text }),
  SEND_INPUT_RESULT: z.looseObject(resultFields),
  SET_MODEL: z.looseObject({ name: text, model: text, timeoutMs: z.exactOptional(z.number()) }),
  SET_MODEL_RESULT: z.looseObject({ ...resultFields, model: text, previousModel: optionalText }),
  LIST_WORKERS: openRecord,
  LIST_WORKERS_RESULT: z.looseObject({
    replyTo: text,
    workers: z.array(
      z.looseObject({
        name: text,
        cli: text,
        task: text,
        team: optionalText,
        spawnerName: optionalText,
        spawnedAt: z.number(),
        pid: z.exactOptional(z.int()),
        model: optionalText,
        cwd: optionalText,
      }),
    ),
    error: optionalText,
  }),
} as const;
