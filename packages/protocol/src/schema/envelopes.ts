import * as z from "zod/mini";
import type {
  EnvelopeMeta,
  FailureEnvelope,
  NotificationEnvelope,
  RequestEnvelope,
  ResponseEnvelope,
  RpcError,
  SessionEnvelope,
  SuccessEnvelope,
} from "../session/index.js";
import { FACTORY_API_VERSION, JSONRPC_VERSION } from "../version.js";
import { recordSchema } from "./values.js";

// Facts of the wire: docs/wire/session.md#errors, docs/wire/session.md#strictness-on-receive

const count = z.int().check(z.minimum(0));

/** Schema of {@link EnvelopeMeta}; other keys pass. */
export const envelopeMetaSchema: z.ZodMiniType<EnvelopeMeta> = z.looseObject({
  epoch: z.exactOptional(count),
  seq: z.exactOptional(count),
  traceparent: z.exactOptional(z.string()),
  tracestate: z.exactOptional(z.string()),
});

/** Schema of {@link RpcError}; any numeric code is accepted. */
export const rpcErrorSchema: z.ZodMiniType<RpcError> = z.looseObject({
  code: z.number(),
  message: z.string(),
  data: z.exactOptional(z.unknown()),
});

const base = {
  jsonrpc: z.literal(JSONRPC_VERSION),
  factoryApiVersion: z.literal(FACTORY_API_VERSION),
  factoryProtocolVersion: z.exactOptional(z.string()),
  _meta: z.exactOptional(envelopeMetaSchema),
};

/** Schema of {@link RequestEnvelope}: agrees with `isRequestEnvelope`. */
export const requestEnvelopeSchema: z.ZodMiniType<RequestEnvelope> = z.looseObject({
  ...base,
  type: z.literal("request"),
  id: z.string(),
  method: z.string(),
  params: recordSchema,
});

/** Schema of {@link SuccessEnvelope}. A response that also has an `error` is refused, because it counts as a failure. */
export const successEnvelopeSchema: z.ZodMiniType<SuccessEnvelope> = z
  .looseObject({ ...base, type: z.literal("response"), id: z.string(), result: z.unknown() })
  .check(z.refine((response) => !("error" in response), "a response with an error is a failure"));

/** Schema of {@link FailureEnvelope}; a `result` beside the error is ignored. */
export const failureEnvelopeSchema: z.ZodMiniType<FailureEnvelope> = z.looseObject({
  ...base,
  type: z.literal("response"),
  id: z.nullable(z.string()),
  error: rpcErrorSchema,
});

/** Schema of {@link ResponseEnvelope}: agrees with `isResponseEnvelope`. */
export const responseEnvelopeSchema: z.ZodMiniType<ResponseEnvelope> = z.union([
  failureEnvelopeSchema,
  successEnvelopeSchema,
]);

/** Schema of {@link NotificationEnvelope}: agrees with `isNotificationEnvelope`. */
export const notificationEnvelopeSchema: z.ZodMiniType<NotificationEnvelope> = z.looseObject({
  ...base,
  type: z.literal("notification"),
  method: z.string(),
  params: recordSchema,
});

/** Schema of {@link SessionEnvelope}: any of the shapes. */
export const sessionEnvelopeSchema: z.ZodMiniType<SessionEnvelope> = z.union([
  requestEnvelopeSchema,
  responseEnvelopeSchema,
  notificationEnvelopeSchema,
]);
