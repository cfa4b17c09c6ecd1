import type { Open } from "../../session/index.js";
import {
  anything,
  flag,
  integer,
  listOf,
  number,
  object,
  optional,
  record,
  text,
  textOrFlag,
} from "../description/index.js";
import type { EntityType, ErrorCode } from "../message-types.js";

/** Payload `{}` of BYE, SUBSCRIBE, STATUS and others. */
export type EmptyPayload = Record<string, unknown>;

/** What a client states that it supports. The original ignores it. */
export interface ClientCapabilities {
  ack?: boolean;
  resume?: boolean;
  max_inflight?: number;
  supports_topics?: boolean;
  /** Ours: the client wants a RECEIPT for each SEND. */
  receipts?: boolean;
  /** Ours: the client reads RECEIPTs of many messages. */
  batches?: boolean;
}

const capabilities = object<ClientCapabilities>({
  ack: optional(flag),
  resume: optional(flag),
  max_inflight: optional(number),
  supports_topics: optional(flag),
  receipts: optional(flag),
  batches: optional(flag),
});

/** HELLO: the name and kind of the connecting client. */
export interface HelloPayload {
  /** The connection's name; see `agentNameFault` for what our daemon accepts. */
  agent: string;
  capabilities?: ClientCapabilities;
  /** Default `agent`. */
  entityType?: EntityType;
  cli?: string;
  program?: string;
  model?: string;
  task?: string;
  workingDirectory?: string;
  team?: string;
  displayName?: string;
  avatarUrl?: string;
  session?: { resume_token?: string };
  /** Ours: a secret of the client's process. A later connection that shows it has the name again. */
  process_credential?: string;
  /** States that the client is part of the daemon's own system, which may use reserved names. No proof. */
  _isSystemComponent?: boolean;
  /** Ours, on TCP: the client's half of the proof that both sides have the daemon's token. */
  proof?: string;
  /** Ours, on TCP in a browser: a ticket that was made for one connection. */
  ticket?: string;
}

const hello = object<HelloPayload>({
  agent: text,
  capabilities: optional(capabilities),
  entityType: optional(text),
  cli: optional(text),
  program: optional(text),
  model: optional(text),
  task: optional(text),
  workingDirectory: optional(text),
  team: optional(text),
  displayName: optional(text),
  avatarUrl: optional(text),
  session: optional(object<NonNullable<HelloPayload["session"]>>({ resume_token: optional(text) })),
  process_credential: optional(text),
  _isSystemComponent: optional(flag),
  proof: optional(text),
  ticket: optional(text),
});

/** WELCOME: the connection is active. */
export interface WelcomePayload {
  session_id: string;
  /** To be sent in the next HELLO of this name. A secret. */
  resume_token: string;
  server: {
    max_frame_bytes: number;
    heartbeat_ms: number;
    /** Ours: RECEIPTs are sent to clients that request them. */
    receipts?: boolean;
    /** Ours: the daemon reads ACKs of many messages. */
    batches?: boolean;
  };
}

const welcome = object<WelcomePayload>({
  session_id: text,
  resume_token: text,
  server: object<WelcomePayload["server"]>({
    max_frame_bytes: integer,
    heartbeat_ms: number,
    receipts: optional(flag),
    batches: optional(flag),
  }),
});

/** PING and PONG: the heartbeat. */
export interface HeartbeatPayload {
  /** Echoed, not compared. */
  nonce: string;
}

const heartbeat = object<HeartbeatPayload>({ nonce: text });

/** ERROR: a refusal or failure of the daemon. */
export interface ErrorPayload {
  code: Open<ErrorCode>;
  message: string;
  /** The connection ends, and a new one would fail in the same way. */
  fatal: boolean;
  /** Ours: id of the envelope that is refused. The original's errors name none. */
  ref_id?: string;
  /** Ours: the same id, where the original's one-shot clients look for it. */
  replyTo?: string;
}

const error = object<ErrorPayload>({
  code: text,
  message: text,
  fatal: flag,
  ref_id: optional(text),
  replyTo: optional(text),
});

/**
 * ACK: a DELIVER has arrived; with `correlationId` the answer to a blocking SEND, which has arrived, too. One of `ack_id` and
 * `correlationId` is enough.
 */
export interface AckPayload {
  /** Id of the DELIVER. */
  ack_id?: string;
  /** Its `delivery.seq`. */
  seq?: number;
  /** Never used. */
  cumulative_seq?: number;
  /** Never used. */
  sack?: number[];
  /** Ours, to daemons that read batches: ids of further DELIVERs that have arrived. */
  also?: string[];
  correlationId?: string;
  /** A string by the original's types, a boolean by its documents: clients send either. */
  response?: Open<"OK" | "ERROR" | "ACCEPTED" | "REJECTED"> | boolean;
  responseData?: unknown;
}

const ack = object<AckPayload>({
  ack_id: optional(text),
  seq: optional(integer),
  cumulative_seq: optional(integer),
  sack: optional(listOf(integer)),
  also: optional(listOf(text)),
  correlationId: optional(text),
  response: optional(textOrFlag),
  responseData: optional(anything),
});

/** NACK: declared, never sent by the original. */
export interface NackPayload {
  ack_id: string;
  code?: Open<"BUSY" | "INVALID" | "FORBIDDEN" | "STALE">;
  reason?: Open<"busy" | "invalid" | "forbidden">;
  message?: string;
}

const nack = object<NackPayload>({
  ack_id: text,
  code: optional(text),
  reason: optional(text),
  message: optional(text),
});

/** BUSY: the message was not accepted; send it again later. Our daemon sends it, the original never does. */
export interface BusyPayload {
  retry_after_ms: number;
  queue_depth: number;
  /** Ours: id of the SEND that was not accepted. */
  ref_id?: string;
}

const busy = object<BusyPayload>({ retry_after_ms: number, queue_depth: number, ref_id: optional(text) });

/** One stream in SYNC. */
export interface SyncStream {
  topic: string;
  peer: string;
  last_seq: number;
  server_last_seq?: number;
}

const syncStream = object<SyncStream>({
  topic: text,
  peer: text,
  last_seq: integer,
  server_last_seq: optional(integer),
});

/** SYNC: declared, never sent by the original. */
export interface SyncPayload {
  session_id: string;
  streams: SyncStream[];
}

const sync = object<SyncPayload>({ session_id: text, streams: listOf(syncStream) });

/** State of a SEND: stored for an absent recipient, stored and written to a present one, or refused. */
export type ReceiptState = "queued" | "delivered" | "refused";

/** RECEIPT: ours. The SEND is stored, or refused. Before a refusal, an ERROR or BUSY that names the SEND is sent. */
export interface ReceiptPayload {
  /** Id of the SEND. */
  ref_id: string;
  /** To clients that read batches: ids of further SENDs with the same state. */
  also?: string[];
  state: Open<ReceiptState>;
  /** As in the SEND: a name, `*`, `@users`. */
  to: string;
}

const receipt = object<ReceiptPayload>({ ref_id: text, also: optional(listOf(text)), state: text, to: text });

/** LOG: a line of an agent's output. */
export interface LogPayload {
  data: string;
  /** Unix milliseconds; default: the envelope's `ts`. */
  timestamp?: number;
}

const log = object<LogPayload>({ data: text, timestamp: optional(number) });

/** AGENT_READY: an agent or a user has connected. Sent to all others while there are few. */
export interface AgentReadyPayload {
  name: string;
  cli?: string;
  task?: string;
  /** Unix milliseconds. */
  connectedAt: number;
}

const agentReady = object<AgentReadyPayload>({
  name: text,
  cli: optional(text),
  task: optional(text),
  connectedAt: number,
});

/** PRESENCE: a name has connected, has lost its last connection, or its process has ended. */
export interface PresenceEvent {
  type: Open<"ready" | "left" | "exited">;
  name: string;
  /** Of `ready`. */
  cli?: string;
  /** Of `ready`. */
  task?: string;
  /** Of `ready`; Unix milliseconds. */
  connectedAt?: number;
  /** Of `left`: the peer said BYE, or the connection was lost. */
  reason?: Open<"bye" | "lost">;
  /** Of `exited`, unless a signal ended the process. */
  exitCode?: number;
  /** Of `exited`. */
  signal?: string;
}

/** PRESENCE: ours, to those who subscribed to the topic `@presence`, or to `@presence/<name>`. Oldest first. */
export interface PresencePayload {
  events: PresenceEvent[];
}

const presence = object<PresencePayload>({
  events: listOf(
    object<PresenceEvent>({
      type: text,
      name: text,
      cli: optional(text),
      task: optional(text),
      connectedAt: optional(number),
      reason: optional(text),
      exitCode: optional(integer),
      signal: optional(text),
    }),
  ),
});

/** Descriptions of the types that open and maintain a connection (https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#control-messages). */
export const CONTROL_PAYLOADS = {
  HELLO: hello,
  WELCOME: welcome,
  ACK: ack,
  NACK: nack,
  PING: heartbeat,
  PONG: heartbeat,
  ERROR: error,
  BUSY: busy,
  RESUME: record,
  BYE: record,
  STATE: record,
  SYNC: sync,
  SYNC_SNAPSHOT: record,
  SYNC_DELTA: record,
  LOG: log,
  RECEIPT: receipt,
  AGENT_READY: agentReady,
  PRESENCE: presence,
} as const;
