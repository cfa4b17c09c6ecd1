import {
  type EnvelopeMeta,
  FACTORY_API_VERSION,
  JSONRPC_VERSION,
  ProtocolError,
  type RpcError,
} from "@daemon-sdk/protocol";

/** One frame as it came, told apart by its `type` (session spec §1.4). */
export type IncomingFrame =
  | {
      kind: "request";
      id: string;
      method: string;
      params: Record<string, unknown>;
      protocolVersion: string | undefined;
    }
  | { kind: "response"; id: string | null; result?: unknown; error?: RpcError }
  | { kind: "notification" }
  | { kind: "bad" };

/** Reads a frame. Written here and not taken from the protocol package, so that a fault there cannot hide itself. */
export function readFrame(text: string): IncomingFrame {
  const frame = parseObject(text);
  if (frame?.jsonrpc !== JSONRPC_VERSION || frame.factoryApiVersion !== FACTORY_API_VERSION) return { kind: "bad" };
  if (frame.type === "notification") return { kind: "notification" };
  if (frame.type === "response") return readResponse(frame);
  if (frame.type !== "request" || typeof frame.id !== "string" || typeof frame.method !== "string") {
    return { kind: "bad" };
  }
  const { factoryProtocolVersion: version } = frame;
  return {
    kind: "request",
    id: frame.id,
    method: frame.method,
    params: isObject(frame.params) ? frame.params : {},
    protocolVersion: typeof version === "string" ? version : undefined,
  };
}

function readResponse(frame: Record<string, unknown>): IncomingFrame {
  const { id, result, error } = frame;
  if (typeof id !== "string" && id !== null) return { kind: "bad" };
  if (isObject(error)) {
    const { code, message, data } = error;
    if (typeof code !== "number" || typeof message !== "string") return { kind: "bad" };
    return { kind: "response", id, error: data === undefined ? { code, message } : { code, message, data } };
  }
  return result === undefined ? { kind: "bad" } : { kind: "response", id, result };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Writes a frame; `body` holds everything but the versions. */
export function writeFrame(
  protocolVersion: string | undefined,
  body: Record<string, unknown>,
  meta?: EnvelopeMeta,
): string {
  return JSON.stringify({
    jsonrpc: JSONRPC_VERSION,
    factoryApiVersion: FACTORY_API_VERSION,
    ...(protocolVersion === undefined ? {} : { factoryProtocolVersion: protocolVersion }),
    ...body,
    ...(meta ? { _meta: meta } : {}),
  });
}

/**
 * An error to throw from a handler of the fake daemon: the client gets an error response with this code.
 *
 * @param code one of `RpcCode`, or any other number
 */
export function rpcFault(code: number, message: string, data?: unknown): ProtocolError {
  return new ProtocolError("REMOTE_ERROR", message, { rpcCode: code, data });
}
