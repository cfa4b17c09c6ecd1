import { flag, integer, number, object, optional, text } from "./description/index.js";

/** The SEND blocks until an ACK with the reply arrives. */
export interface SyncMeta {
  correlationId: string;
  /** Default: 30 s, the daemon's. */
  timeoutMs?: number;
  blocking: boolean;
}

const sync = object<SyncMeta>({ correlationId: text, timeoutMs: optional(number), blocking: flag });

/** Options of a SEND, copied unchanged into the DELIVER. */
export interface SendMeta {
  /** Has no effect: every DELIVER is to be acknowledged. */
  requires_ack?: boolean;
  ttl_ms?: number;
  /** 0 to 100. */
  importance?: number;
  /** Correlation id of the request that this message answers. */
  replyTo?: string;
  sync?: SyncMeta;
}

/** Description of {@link SendMeta}. */
export const SEND_META = object<SendMeta>({
  requires_ack: optional(flag),
  ttl_ms: optional(number),
  importance: optional(number),
  replyTo: optional(text),
  sync: optional(sync),
});

/** Position of a DELIVER in its stream. */
export interface Delivery {
  /** Counts from 1, per topic and sender; a redelivery keeps its number. */
  seq: number;
  /** The recipient's session. */
  session_id: string;
  /** The address of the SEND, if it was not this recipient: `*`, `@users`, a shadow's primary. */
  originalTo?: string;
}

/** Description of {@link Delivery}. */
export const DELIVERY = object<Delivery>({ seq: integer, session_id: text, originalTo: optional(text) });
