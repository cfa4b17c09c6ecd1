import { isRecord } from "../base/index.js";
import { type Guard, guardOf, type Shape } from "./description/index.js";
import { type Envelope, isEnvelope, type RelayEnvelope } from "./envelope.js";
import { isMessageType, type MessageType } from "./message-types.js";
import { PAYLOADS, type RelayPayloads, type SendPayload } from "./payloads/index.js";
import { type Delivery, SEND_META } from "./side-bands.js";

// Facts of the wire: docs/wire/relay.md#envelope, docs/wire/relay.md#messages

/** The guard of each type's payload. Look one up only by a type that {@link isMessageType} accepts. */
export const PAYLOAD_GUARDS = Object.fromEntries(
  Object.entries<Shape>(PAYLOADS).map(([type, description]) => [type, guardOf(description)]),
) as unknown as { readonly [Type in MessageType]: Guard<RelayPayloads[Type]> };

/** Whether `value` is the side band of a SEND. */
export const isSendMeta = guardOf(SEND_META);

/** One comes for every DELIVER. */
const isAckPayload = PAYLOAD_GUARDS.ACK;

/** Equal to the guard of its description. Written by hand, because it runs for every message. */
function isSendPayload(value: unknown): value is SendPayload {
  if (!isRecord(value) || typeof value.kind !== "string" || value.body === undefined) return false;
  return (value.data === undefined || isRecord(value.data)) && isOptionalText(value.thread);
}

/**
 * Whether `value` is the `delivery` of a DELIVER (https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/relay.md#messages). A DELIVER without `delivery.seq` cannot
 * be acknowledged.
 *
 * Equal to the guard of its description. Written by hand, because it runs for every message.
 */
export function isDelivery(value: unknown): value is Delivery {
  if (!isRecord(value)) return false;
  const { seq, session_id, originalTo } = value;
  return Number.isSafeInteger(seq) && typeof session_id === "string" && isOptionalText(originalTo);
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

/**
 * Whether an envelope is of `type`, with a valid payload and, for SEND and DELIVER, valid side bands. Written by hand for the
 * three types of the hot path.
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

/** Any envelope of a known type with checked content. Switch on `type` to narrow it. */
export type KnownEnvelope = { [Type in MessageType]: RelayEnvelope<Type> }[MessageType];

/** Whether `value` is an envelope of a known type with valid content. */
export function isKnownEnvelope(value: unknown): value is KnownEnvelope {
  return isEnvelope(value) && isMessageType(value.type) && isEnvelopeOf(value, value.type);
}
