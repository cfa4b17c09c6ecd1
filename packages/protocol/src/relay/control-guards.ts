import { isRecord } from "../session/guards.js";
import type {
  AckPayload,
  AgentReadyPayload,
  BusyPayload,
  ClientCapabilities,
  ErrorPayload,
  HeartbeatPayload,
  HelloPayload,
  LogPayload,
  NackPayload,
  ReceiptPayload,
  SyncPayload,
  SyncStream,
  WelcomePayload,
} from "./control-payloads.js";
import { isAnything, isFiniteNumber, isFlag, isInteger, isText, listOf, optional, shape } from "./shape.js";

const isCapabilities = shape<ClientCapabilities>({
  ack: optional(isFlag),
  resume: optional(isFlag),
  max_inflight: optional(isFiniteNumber),
  supports_topics: optional(isFlag),
  receipts: optional(isFlag),
  batches: optional(isFlag),
});

/**
 * Whether `value` is the payload of a HELLO (docs/wire/relay.md#handshake). The name is any string here;
 * `agentNameFault` judges it.
 */
export const isHelloPayload = shape<HelloPayload>({
  agent: isText,
  capabilities: optional(isCapabilities),
  entityType: optional(isText),
  cli: optional(isText),
  program: optional(isText),
  model: optional(isText),
  task: optional(isText),
  workingDirectory: optional(isText),
  team: optional(isText),
  displayName: optional(isText),
  avatarUrl: optional(isText),
  session: optional(shape<NonNullable<HelloPayload["session"]>>({ resume_token: optional(isText) })),
  _isSystemComponent: optional(isFlag),
  proof: optional(isText),
  ticket: optional(isText),
});

/** Whether `value` is the payload of a WELCOME (docs/wire/relay.md#handshake). */
export const isWelcomePayload = shape<WelcomePayload>({
  session_id: isText,
  resume_token: isText,
  server: shape<WelcomePayload["server"]>({
    max_frame_bytes: isInteger,
    heartbeat_ms: isFiniteNumber,
    receipts: optional(isFlag),
    batches: optional(isFlag),
  }),
});

/** Whether `value` is the payload of a PING or PONG (docs/wire/relay.md#heartbeat). */
export const isHeartbeatPayload = shape<HeartbeatPayload>({ nonce: isText });

/** Whether `value` is the payload of an ERROR (docs/wire/relay.md#error-envelopes). */
export const isErrorPayload = shape<ErrorPayload>({
  code: isText,
  message: isText,
  fatal: isFlag,
  ref_id: optional(isText),
});

const isRareAckPart = shape<Pick<AckPayload, "cumulative_seq" | "sack" | "also" | "response" | "responseData">>({
  cumulative_seq: optional(isInteger),
  sack: optional(listOf(isInteger)),
  also: optional(listOf(isText)),
  response: optional((value): value is string | boolean => isText(value) || isFlag(value)),
  responseData: optional(isAnything),
});

/**
 * Whether `value` is the payload of an ACK (docs/wire/relay.md#control-messages). One comes for every DELIVER, so the
 * common part is written out.
 */
export function isAckPayload(value: unknown): value is AckPayload {
  if (!isRecord(value) || !isText(value.ack_id) || !isInteger(value.seq)) return false;
  return (value.correlationId === undefined || isText(value.correlationId)) && isRareAckPart(value);
}

/** Guards of the types that make and keep a connection (docs/wire/relay.md#control-messages). */
export const CONTROL_GUARDS = {
  HELLO: isHelloPayload,
  WELCOME: isWelcomePayload,
  ACK: isAckPayload,
  NACK: shape<NackPayload>({
    ack_id: isText,
    code: optional(isText),
    reason: optional(isText),
    message: optional(isText),
  }),
  PING: isHeartbeatPayload,
  PONG: isHeartbeatPayload,
  ERROR: isErrorPayload,
  BUSY: shape<BusyPayload>({ retry_after_ms: isFiniteNumber, queue_depth: isFiniteNumber, ref_id: optional(isText) }),
  RESUME: isRecord,
  BYE: isRecord,
  STATE: isRecord,
  SYNC: shape<SyncPayload>({
    session_id: isText,
    streams: listOf(
      shape<SyncStream>({ topic: isText, peer: isText, last_seq: isInteger, server_last_seq: optional(isInteger) }),
    ),
  }),
  SYNC_SNAPSHOT: isRecord,
  SYNC_DELTA: isRecord,
  LOG: shape<LogPayload>({ data: isText, timestamp: optional(isFiniteNumber) }),
  RECEIPT: shape<ReceiptPayload>({ ref_id: isText, also: optional(listOf(isText)), state: isText, to: isText }),
  AGENT_READY: shape<AgentReadyPayload>({
    name: isText,
    cli: optional(isText),
    task: optional(isText),
    connectedAt: isFiniteNumber,
  }),
} as const;
