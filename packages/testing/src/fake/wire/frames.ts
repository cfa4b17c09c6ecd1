import {
  type EnvelopeMeta,
  FACTORY_API_VERSION,
  JSONRPC_VERSION,
  ProtocolError,
  RpcCode,
  type RpcError,
} from "@daemon-sdk/protocol";

/** One received frame, by its `type`. */
export type IncomingFrame =
  | {
      kind: "request";
      id: string;
      method: string;
      params: Record<string, unknown>;
      protocolVersion: string | undefined;
    }
  | { kind: "response"; id: string | null; result?: unknown; error?: RpcError }
  | { kind: "notification"; method: string; params: Record<string, unknown> }
  /** `isAnswered`: whether an error response with this code is sent, with the request's id if readable. */
  | { kind: "bad"; isAnswered: boolean; id: string | null; code: number; message: string };

/** Deepest accepted nesting (docs/protocol.md §1). */
const MAX_DEPTH = 64;
/** Longest id of a request (docs/protocol.md §1). */
const MAX_ID_CHARS = 256;

/** Reads a frame. Independent of the protocol package, so that a fault there is detected. */
export function readFrame(text: string): IncomingFrame {
  const frame = parseObject(text);
  if (frame?.jsonrpc !== JSONRPC_VERSION || frame.factoryApiVersion !== FACTORY_API_VERSION) return unreadable();
  const id = typeof frame.id === "string" ? frame.id : null;
  if (!isShallow(frame, MAX_DEPTH)) return unreadable(id);
  if (isPolluting(frame)) return invalid(frame.type === "request", id);
  const params = isObject(frame.params) ? frame.params : {};
  if (frame.type === "notification") {
    return typeof frame.method === "string"
      ? { kind: "notification", method: frame.method, params }
      : { ...unreadable(), isAnswered: false };
  }
  if (frame.type === "response") return readResponse(frame);
  if (frame.type !== "request" || typeof frame.method !== "string") return unreadable();
  if (id === null || id.length > MAX_ID_CHARS) return invalid(true, null);
  const { factoryProtocolVersion: version } = frame;
  const protocolVersion = typeof version === "string" ? version : undefined;
  return { kind: "request", id, method: frame.method, params, protocolVersion };
}

function unreadable(id: string | null = null): IncomingFrame & { kind: "bad" } {
  return { kind: "bad", isAnswered: true, id, code: RpcCode.parseError, message: "Invalid JSON-RPC message" };
}

function invalid(isAnswered: boolean, id: string | null): IncomingFrame {
  return { kind: "bad", isAnswered, id, code: RpcCode.invalidRequest, message: "Invalid request" };
}

function readResponse(frame: Record<string, unknown>): IncomingFrame {
  const { id, result, error } = frame;
  const bad = { ...unreadable(), isAnswered: false };
  if (typeof id !== "string" && id !== null) return bad;
  if (isObject(error)) {
    const { code, message, data } = error;
    if (typeof code !== "number" || typeof message !== "string") return bad;
    return { kind: "response", id, error: data === undefined ? { code, message } : { code, message, data } };
  }
  return result === undefined ? bad : { kind: "response", id, result };
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

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

/** Whether a value has keys that replace prototypes when they are merged (docs/protocol.md §11). */
function isPolluting(value: unknown, parentKey = ""): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) =>
      key === "__proto__" || (key === "prototype" && parentKey === "constructor") || isPolluting(inner, key),
  );
}

/** Encodes a frame. `body` contains all fields but the versions. */
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
 * An error for handlers of the fake daemon to throw. The client gets an error response with this code.
 *
 * @param code one of `RpcCode`, or any other number
 */
export function rpcFault(code: number, message: string, data?: unknown): ProtocolError {
  return new ProtocolError("REMOTE_ERROR", message, { rpcCode: code, data });
}

/** `error` of the response for an exception of a method. */
export function errorOf(fault: unknown): { code: number; message: string; data?: unknown } {
  if (fault instanceof ProtocolError && fault.rpcCode !== undefined) {
    const { rpcCode: code, message, data } = fault;
    return data === undefined ? { code, message } : { code, message, data };
  }
  return { code: RpcCode.internalError, message: fault instanceof Error ? fault.message : String(fault) };
}
