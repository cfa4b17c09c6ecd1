// Facts of the wire: docs/wire/relay.md#envelope, docs/wire/relay.md#messages

/**
 * `@daemon-sdk/protocol/relay/schema`: zod schemas of the relay wire, for where trust begins and for other programs. A door
 * of its own, so that who only wants the guards of `@daemon-sdk/protocol/relay` gets no zod. Both accept the same: a
 * property test proves it.
 */
import * as z from "zod/mini";
import type { Delivery, Envelope, RelayEnvelope, SendMeta } from "./envelope.js";
import type { MessageType } from "./message-types.js";
import type { RelayPayloads } from "./payloads.js";
import { CONTROL_SCHEMAS } from "./schema/control.js";
import { MESSAGE_SCHEMAS } from "./schema/messages.js";
import { QUERY_SCHEMAS } from "./schema/queries.js";
import { WORKER_SCHEMAS } from "./schema/workers.js";

const text = z.string();
const openRecord = z.record(z.string(), z.unknown());

/** Schema of each type's payload. Unknown keys pass, and enums are open. */
export const PAYLOAD_SCHEMAS: { readonly [Type in MessageType]: z.ZodMiniType<RelayPayloads[Type]> } = {
  ...CONTROL_SCHEMAS,
  ...MESSAGE_SCHEMAS,
  ...QUERY_SCHEMAS,
  ...WORKER_SCHEMAS,
};

/** Schema of {@link SendMeta}. */
export const sendMetaSchema: z.ZodMiniType<SendMeta> = z.looseObject({
  requires_ack: z.exactOptional(z.boolean()),
  ttl_ms: z.exactOptional(z.number()),
  importance: z.exactOptional(z.number()),
  replyTo: z.exactOptional(text),
  sync: z.exactOptional(
    z.looseObject({ correlationId: text, timeoutMs: z.exactOptional(z.number()), blocking: z.boolean() }),
  ),
});

/** Schema of {@link Delivery}. */
export const deliverySchema: z.ZodMiniType<Delivery> = z.looseObject({
  seq: z.int(),
  session_id: text,
  originalTo: z.exactOptional(text),
});

const envelopeFields = {
  v: z.number(),
  type: text,
  id: text,
  ts: z.number(),
  from: z.exactOptional(text),
  to: z.exactOptional(text),
  topic: z.exactOptional(text),
  payload: openRecord,
  payload_meta: z.exactOptional(openRecord),
  delivery: z.exactOptional(openRecord),
};

/** Schema of an {@link Envelope} of any type: agrees with `isEnvelope`. */
export const envelopeSchema: z.ZodMiniType<Envelope> = z.looseObject(envelopeFields);

/** Schema of the envelopes of one type, payload and side bands checked: agrees with `isEnvelopeOf`. */
export function envelopeSchemaOf<Type extends MessageType>(type: Type): z.ZodMiniType<RelayEnvelope<Type>> {
  const hasMeta = type === "SEND" || type === "DELIVER";
  const schema = z.looseObject({
    ...envelopeFields,
    type: z.literal<MessageType>(type),
    payload: PAYLOAD_SCHEMAS[type],
    ...(hasMeta ? { payload_meta: z.exactOptional(sendMetaSchema) } : {}),
    ...(type === "DELIVER" ? { from: text, delivery: deliverySchema } : {}),
  });
  // The fields depend on `type` by value, which the compiler does not follow; the property test does.
  return schema as unknown as z.ZodMiniType<RelayEnvelope<Type>>;
}
