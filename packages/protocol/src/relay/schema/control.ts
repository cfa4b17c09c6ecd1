import * as z from "zod/mini";

const text = z.string();
const optionalText = z.exactOptional(text);
const optionalFlag = z.exactOptional(z.boolean());
const optionalNumber = z.exactOptional(z.number());
const openRecord = z.record(z.string(), z.unknown());
const heartbeat = z.looseObject({ nonce: text });

/** Schemas of the types that make and keep a connection (docs/wire/relay.md#control-messages); other keys pass. */
export const CONTROL_SCHEMAS = {
  HELLO: z.looseObject({
    agent: text,
    capabilities: z.exactOptional(
      z.looseObject({
        ack: optionalFlag,
        resume: optionalFlag,
        max_inflight: optionalNumber,
        supports_topics: optionalFlag,
        receipts: optionalFlag,
        batches: optionalFlag,
      }),
    ),
    entityType: optionalText,
    cli: optionalText,
    program: optionalText,
    model: optionalText,
    task: optionalText,
    workingDirectory: optionalText,
    team: optionalText,
    displayName: optionalText,
    avatarUrl: optionalText,
    session: z.exactOptional(z.looseObject({ resume_token: optionalText })),
    _isSystemComponent: optionalFlag,
    proof: optionalText,
    ticket: optionalText,
  }),
  WELCOME: z.looseObject({
    session_id: text,
    resume_token: text,
    server: z.looseObject({
      max_frame_bytes: z.int(),
      heartbeat_ms: z.number(),
      receipts: optionalFlag,
      batches: optionalFlag,
    }),
  }),
  ACK: z.looseObject({
    ack_id: text,
    seq: z.int(),
    cumulative_seq: z.exactOptional(z.int()),
    sack: z.exactOptional(z.array(z.int())),
    also: z.exactOptional(z.array(text)),
    correlationId: optionalText,
    response: z.exactOptional(z.union([z.string(), z.boolean()])),
    responseData: z.exactOptional(z.unknown()),
  }),
  NACK: z.looseObject({ ack_id: text, code: optionalText, reason: optionalText, message: optionalText }),
  PING: heartbeat,
  PONG: heartbeat,
  ERROR: z.looseObject({ code: text, message: text, fatal: z.boolean(), ref_id: optionalText }),
  BUSY: z.looseObject({ retry_after_ms: z.number(), queue_depth: z.number(), ref_id: optionalText }),
  RESUME: openRecord,
  BYE: openRecord,
  STATE: openRecord,
  SYNC: z.looseObject({
    session_id: text,
    streams: z.array(
      z.looseObject({ topic: text, peer: text, last_seq: z.int(), server_last_seq: z.exactOptional(z.int()) }),
    ),
  }),
  SYNC_SNAPSHOT: openRecord,
  SYNC_DELTA: openRecord,
  LOG: z.looseObject({ data: text, timestamp: optionalNumber }),
  RECEIPT: z.looseObject({ ref_id: text, also: z.exactOptional(z.array(text)), state: text, to: text }),
  AGENT_READY: z.looseObject({ name: text, cli: optionalText, task: optionalText, connectedAt: z.number() }),
} as const;
