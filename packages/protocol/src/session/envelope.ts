import type { FACTORY_API_VERSION, JSONRPC_VERSION } from "../version.js";
import type { Position } from "./values.js";

// Facts of the wire: docs/wire/session.md#envelope, docs/wire/session.md#frame-shapes, docs/wire/session.md#errors

/**
 * Side band of an envelope: W3C trace context, and on frames of a journal their position
 * (docs/protocol.md, "Positions"). Implementations that know nothing of it ignore it.
 */
export interface EnvelopeMeta extends Partial<Position> {
  /** The entry is sent ahead of its place, outside the credit; it comes again at its place (docs/protocol.md, "Credit"). */
  early?: true;
  /** A request that was resolved before it was sent: for the order only, nobody is to be asked (docs/protocol.md, "Resume"). */
  resolved?: true;
  traceparent?: string;
  tracestate?: string;
}

/** What every frame of the session wire carries. */
export interface EnvelopeBase {
  jsonrpc: typeof JSONRPC_VERSION;
  factoryApiVersion: typeof FACTORY_API_VERSION;
  /** Optional on receive; sent once the peer's value is known. */
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

/** Something told, with no answer expected. */
export interface NotificationEnvelope extends EnvelopeBase {
  type: "notification";
  method: string;
  params: Record<string, unknown>;
}

/** An answer; ask `isFailure` before reading `result`. */
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
