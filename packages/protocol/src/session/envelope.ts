import type { FACTORY_API_VERSION, JSONRPC_VERSION } from "../version.js";
import type { Position } from "./values.js";

// Facts of the wire: docs/wire/session.md#envelope, docs/wire/session.md#frame-shapes, docs/wire/session.md#errors

/** Where a piece of work belongs in a trace, as W3C Trace Context states it. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

/**
 * Side band of an envelope: W3C trace context, and on frames of a journal their position
 * (docs/protocol.md, "Positions"). Other implementations ignore it.
 */
export interface EnvelopeMeta extends Partial<Position>, Partial<TraceContext> {
  /** Marks an early copy of an entry: sent ahead of its place and outside the credit. The entry follows at its place (docs/protocol.md, "Credit"). */
  early?: true;
  /** Marks a request that was resolved before it was sent. It completes the order and must not be answered (docs/protocol.md, "Resume"). */
  resolved?: true;
}

/** Fields of every frame of the session wire. */
export interface EnvelopeBase {
  jsonrpc: typeof JSONRPC_VERSION;
  factoryApiVersion: typeof FACTORY_API_VERSION;
  /** Optional on receive. Sent after the peer has sent its own value. */
  factoryProtocolVersion?: string;
  _meta?: EnvelopeMeta;
}

/** A call, in either direction. */
export interface RequestEnvelope extends EnvelopeBase {
  type: "request";
  id: string;
  method: string;
  params: Record<string, unknown>;
}

/** The answer to a request that succeeded. */
export interface SuccessEnvelope extends EnvelopeBase {
  type: "response";
  id: string;
  result: unknown;
}

/** `error` of a failed response. */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

/** The answer to a request that failed; `id` is null when the request's could not be read. */
export interface FailureEnvelope extends EnvelopeBase {
  type: "response";
  id: string | null;
  error: RpcError;
}

/** A notification: no answer is expected. */
export interface NotificationEnvelope extends EnvelopeBase {
  type: "notification";
  method: string;
  params: Record<string, unknown>;
}

/** An answer. Check `isFailure` before reading `result`. */
export type ResponseEnvelope = SuccessEnvelope | FailureEnvelope;
/** Any frame of the session wire. */
export type SessionEnvelope = RequestEnvelope | ResponseEnvelope | NotificationEnvelope;

/** JSON-RPC error codes of the wire. */
export const RpcCode = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  authentication: -32_001,
  entityNotFound: -32_004,
  sessionDisconnected: -32_005,
} as const;

/** Prefix of method names: `daemon.` on sockets, `droid.` on an agent's stdio. */
export type MethodPrefix = "daemon" | "droid";
