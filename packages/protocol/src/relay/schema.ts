// Facts of the wire: docs/wire/relay.md#envelope, docs/wire/relay.md#messages

/**
 * `@daemon-sdk/protocol/relay/schema`: zod schemas of the relay wire, for untrusted input and for other programs. A separate
 * entry, so that the guards of `@daemon-sdk/protocol/relay` do not load zod. Guards and schemas accept the same values: a
 * property test proves it.
 */
import * as z from "zod/mini";
import type { Description, Field, Shape } from "./description/index.js";
import { ENVELOPE, type Envelope, type RelayEnvelope } from "./envelope.js";
import type { MessageType } from "./message-types.js";
import { PAYLOADS, type RelayPayloads } from "./payloads/index.js";
import { DELIVERY, type Delivery, SEND_META, type SendMeta } from "./side-bands.js";

/** Schema of each type's payload. Unknown keys pass, and enums are open. */
export const PAYLOAD_SCHEMAS = Object.fromEntries(
  Object.entries<Shape>(PAYLOADS).map(([type, shape]) => [type, typeOf(shape)]),
) as unknown as { readonly [Type in MessageType]: z.ZodMiniType<RelayPayloads[Type]> };

/** Schema of {@link SendMeta}. */
export const sendMetaSchema: z.ZodMiniType<SendMeta> = schemaOf(SEND_META);

/** Schema of {@link Delivery}. */
export const deliverySchema: z.ZodMiniType<Delivery> = schemaOf(DELIVERY);

/** Schema of an {@link Envelope} of any type: agrees with `isEnvelope`. */
export const envelopeSchema: z.ZodMiniType<Envelope> = schemaOf(ENVELOPE);

/** Schema of the envelopes of one type, payload and side bands checked: agrees with `isEnvelopeOf`. */
export function envelopeSchemaOf<Type extends MessageType>(type: Type): z.ZodMiniType<RelayEnvelope<Type>> {
  const hasMeta = type === "SEND" || type === "DELIVER";
  const schema = z.looseObject({
    ...(ENVELOPE.kind === "object" ? fieldSchemas(ENVELOPE.fields) : {}),
    type: z.literal<MessageType>(type),
    payload: PAYLOAD_SCHEMAS[type],
    ...(hasMeta ? { payload_meta: z.exactOptional(sendMetaSchema) } : {}),
    ...(type === "DELIVER" ? { from: z.string(), delivery: deliverySchema } : {}),
  });
  // The fields depend on the value of `type`, which the compiler cannot check; the property test does.
  return schema as unknown as z.ZodMiniType<RelayEnvelope<Type>>;
}

function schemaOf<T>(description: Description<T>): z.ZodMiniType<T> {
  return typeOf(description) as z.ZodMiniType<T>;
}

function typeOf(shape: Shape): z.ZodMiniType {
  switch (shape.kind) {
    case "text":
      return z.string();
    case "flag":
      return z.boolean();
    case "number":
      return z.number();
    case "integer":
      return z.int();
    case "record":
      return z.record(z.string(), z.unknown());
    case "json":
      return z.unknown().check(z.refine((value) => value !== undefined));
    case "anything":
      return z.unknown();
    case "textOrFlag":
      return z.union([z.string(), z.boolean()]);
    case "list":
      return z.array(typeOf(shape.item));
    case "object":
      return z.looseObject(fieldSchemas(shape.fields));
  }
}

function fieldSchemas(fields: readonly Field[]): Record<string, z.ZodMiniType> {
  return Object.fromEntries(
    fields.map(({ key, shape, isOptional }) => [key, isOptional ? z.exactOptional(typeOf(shape)) : typeOf(shape)]),
  );
}
