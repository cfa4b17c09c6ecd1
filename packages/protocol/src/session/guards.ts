import { isRecord } from "../base/index.js";
import { FACTORY_API_VERSION, JSONRPC_VERSION } from "../version.js";
import type {
  EnvelopeMeta,
  FailureEnvelope,
  NotificationEnvelope,
  RequestEnvelope,
  ResponseEnvelope,
  RpcError,
  SessionEnvelope,
} from "./envelope.js";
import type { SessionNotificationParams } from "./notifications.js";

// Facts of the wire: docs/wire/session.md#frame-shapes, docs/wire/session.md#strictness-on-receive

/** A call. Numeric ids and params that are no object are refused. */
export function isRequestEnvelope(value: unknown): value is RequestEnvelope {
  return (
    isRecord(value) &&
    value.type === "request" &&
    typeof value.id === "string" &&
    typeof value.method === "string" &&
    isRecord(value.params) &&
    hasEnvelopeBase(value)
  );
}

/** An answer. One that holds both `error` and `result` counts as a failure. */
export function isResponseEnvelope(value: unknown): value is ResponseEnvelope {
  if (!isRecord(value) || value.type !== "response" || !hasEnvelopeBase(value)) return false;
  if (value.error === undefined) return typeof value.id === "string" && value.result !== undefined;
  return (typeof value.id === "string" || value.id === null) && isRpcError(value.error);
}

/** Whether an answer is a failure. Check this before reading `result`. */
export function isFailure(response: ResponseEnvelope): response is FailureEnvelope {
  return "error" in response;
}

/** A notification. An `id`, which a notification should not have, is ignored. */
export function isNotificationEnvelope(value: unknown): value is NotificationEnvelope {
  return (
    isRecord(value) &&
    value.type === "notification" &&
    typeof value.method === "string" &&
    isRecord(value.params) &&
    hasEnvelopeBase(value)
  );
}

/** Any of the three shapes, chosen by `type`. */
export function isSessionEnvelope(value: unknown): value is SessionEnvelope {
  if (!isRecord(value)) return false;
  switch (value.type) {
    case "notification":
      return isNotificationEnvelope(value);
    case "response":
      return isResponseEnvelope(value);
    default:
      return isRequestEnvelope(value);
  }
}

/** `error` of a failed response; codes beyond the known ones are accepted. */
export function isRpcError(value: unknown): value is RpcError {
  return isRecord(value) && Number.isFinite(value.code) && typeof value.message === "string";
}

/** Params of `session_notification`, whatever the notification's type. `sessionId` may be absent from an agent. */
export function isSessionNotificationParams(value: unknown): value is SessionNotificationParams {
  return (
    isRecord(value) &&
    (value.sessionId === undefined || typeof value.sessionId === "string") &&
    isRecord(value.notification) &&
    typeof value.notification.type === "string"
  );
}

/** Fields of every frame. `_meta` is checked, because positions are read from it. */
function hasEnvelopeBase(value: Record<string, unknown>): boolean {
  return (
    value.jsonrpc === JSONRPC_VERSION &&
    value.factoryApiVersion === FACTORY_API_VERSION &&
    (value.factoryProtocolVersion === undefined || typeof value.factoryProtocolVersion === "string") &&
    (value._meta === undefined || isEnvelopeMeta(value._meta))
  );
}

/** Side band of an envelope; unknown keys are accepted. */
export function isEnvelopeMeta(value: unknown): value is EnvelopeMeta {
  return (
    isRecord(value) &&
    (value.epoch === undefined || isCount(value.epoch)) &&
    (value.seq === undefined || isCount(value.seq)) &&
    (value.traceparent === undefined || typeof value.traceparent === "string") &&
    (value.tracestate === undefined || typeof value.tracestate === "string")
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
