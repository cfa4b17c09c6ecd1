import { isRecord } from "../session/guards.js";
import { CONTROL_GUARDS, isAckPayload } from "./control-guards.js";
import {
  type Delivery,
  type Envelope,
  isEnvelope,
  type RelayEnvelope,
  type SendMeta,
  type SyncMeta,
} from "./envelope.js";
import { isSendPayload, MESSAGE_GUARDS } from "./message-guards.js";
import { isMessageType, type MessageType } from "./message-types.js";
import type { RelayPayloads } from "./payloads.js";
import { QUERY_GUARDS } from "./query-guards.js";
import { type Guard, isFiniteNumber, isFlag, isInteger, isText, optional, shape } from "./shape.js";
import { WORKER_GUARDS } from "./worker-guards.js";

// Facts of the wire: docs/wire/relay.md#envelope, docs/wire/relay.md#messages

/** The guard of each type's payload. Look one up only by a type that {@link isMessageType} has seen. */
export const PAYLOAD_GUARDS: { readonly [Type in MessageType]: Guard<RelayPayloads[Type]> } = {
  ...CONTROL_GUARDS,
  ...MESSAGE_GUARDS,
  ...QUERY_GUARDS,
  ...WORKER_GUARDS,
};

const isSyncMeta = shape<SyncMeta>({ correlationId: isText, timeoutMs: optional(isFiniteNumber), blocking: isFlag });

/** Whether `value` is the side band of a SEND. */
export const isSendMeta = shape<SendMeta>({
  requires_ack: optional(isFlag),
  ttl_ms: optional(isFiniteNumber),
  importance: optional(isFiniteNumber),
  replyTo: optional(isText),
  sync: optional(isSyncMeta),
});

/** Whether `value` is the `delivery` of a DELIVER. Read without `delivery.seq`, one cannot be acknowledged. */
export function isDelivery(value: unknown): value is Delivery {
  if (!isRecord(value)) return false;
  const { seq, session_id, originalTo } = value;
  return isInteger(seq) && isText(session_id) && (originalTo === undefined || isText(originalTo));
}

/**
 * Whether an envelope is of `type` and holds what that type promises, its payload and for SEND and DELIVER the side
 * bands, too. Written out for the three types of the hot path.
 */
export function isEnvelopeOf<Type extends MessageType>(
  envelope: Envelope<unknown>,
  type: Type,
): envelope is RelayEnvelope<Type> {
  if (envelope.type !== type) return false;
  const { payload, payload_meta: meta } = envelope;
  if (type === "ACK") return isAckPayload(payload);
  if (type !== "SEND" && type !== "DELIVER") return PAYLOAD_GUARDS[type](payload);
  if (!isSendPayload(payload) || (meta !== undefined && !isSendMeta(meta))) return false;
  return type === "SEND" || (envelope.from !== undefined && isDelivery(envelope.delivery));
}

/** Any envelope whose type is known, its content checked; switch on `type` to narrow it. */
export type KnownEnvelope = { [Type in MessageType]: RelayEnvelope<Type> }[MessageType];

/** Whether `value` is an envelope of a type we know that holds what its type promises. */
export function isKnownEnvelope(value: unknown): value is KnownEnvelope {
  return isEnvelope(value) && isMessageType(value.type) && isEnvelopeOf(value, value.type);
}
