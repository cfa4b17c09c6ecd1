import { ProtocolError } from "../errors.js";
import { LIMITS } from "../limits.js";
import { FACTORY_API_VERSION, JSONRPC_VERSION } from "../version.js";
import { type EnvelopeMeta, RpcCode, type RpcError, type SessionEnvelope } from "./envelope.js";
import { isRecord, isSessionEnvelope } from "./guards.js";
import { exceedsDepth, hasUnsafeKey, mayHoldUnsafeKey } from "./json-safety.js";

/** What {@link decodeFrame} made of a frame. */
export type Decoded = { ok: true; envelope: SessionEnvelope } | DecodeFailure;

/** Why a frame was refused, and what an answer to it has to say (session spec §1.5). */
export interface DecodeFailure {
  ok: false;
  /** Code of the error response: -32700 for what is no envelope, -32600 for what is unsafe to handle. */
  rpcCode: number;
  /** Text of the error response. Never repeats what the frame held. */
  message: string;
  /** Id of the error response: the frame's own where it has a string, else null. */
  id: string | null;
  /** `type` as the frame states it. Answer nothing to a bad `response` or `notification`: neither expects an answer. */
  type: string | undefined;
  /** `syntax`: no JSON object at all. `envelope`: JSON, but no envelope. `unsafe`: too deep, or keys that pollute. */
  fault: "syntax" | "envelope" | "unsafe";
}

/**
 * Reads one message of the session wire. Never throws.
 *
 * Refuses what would hurt the code behind it: nesting over {@link LIMITS.jsonDepth}, keys named `__proto__` (however
 * escaped) and `constructor.prototype`. A request without `params` is read as one with empty params. The size is the
 * transport's affair.
 */
export function decodeFrame(text: string): Decoded {
  const isTooDeep = exceedsDepth(text, LIMITS.jsonDepth);
  if (isTooDeep && text.length > LIMITS.deepFrameParseBytes) return refuse("unsafe", TOO_DEEP, undefined);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("syntax", "Parse error: not JSON", undefined);
  }
  if (isTooDeep) return refuse("unsafe", TOO_DEEP, value);
  if (mayHoldUnsafeKey(text) && hasUnsafeKey(value)) return refuse("unsafe", UNSAFE_KEY, value);
  if (isSessionEnvelope(value)) return { ok: true, envelope: value };
  return decodeLeniently(value);
}

const TOO_DEEP = `JSON nested deeper than ${LIMITS.jsonDepth} levels`;
const UNSAFE_KEY = "The keys __proto__ and constructor.prototype are not accepted";

/** What is left when the guard refused: a request that may leave out its params, or a fault to name. */
function decodeLeniently(value: unknown): Decoded {
  if (typeof value !== "object" || value === null) return refuse("syntax", "Parse error: not a JSON object", undefined);
  if (isRecord(value) && value.type === "request" && value.params === undefined) {
    const request = { ...value, params: {} };
    if (isSessionEnvelope(request)) return { ok: true, envelope: request };
  }
  return refuse("envelope", "Invalid JSON-RPC message", value);
}

function refuse(fault: DecodeFailure["fault"], message: string, value: unknown): DecodeFailure {
  const frame = isRecord(value) ? value : {};
  return {
    ok: false,
    rpcCode: fault === "unsafe" ? RpcCode.invalidRequest : RpcCode.parseError,
    message,
    id: typeof frame.id === "string" ? frame.id : null,
    type: typeof frame.type === "string" ? frame.type : undefined,
    fault,
  };
}

/** Text of a request. `method` carries its prefix. */
export function encodeRequest(method: string, id: string, params: object, protocolVersion?: string): string {
  const body = stringify(params, method);
  return `${head(protocolVersion)},"type":"request","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${body}}`;
}

/** Text of the answer to a request that succeeded; an undefined result goes out as `{}`, because the wire wants one. */
export function encodeResult(id: string, result: unknown, protocolVersion?: string): string {
  const body = stringify(result ?? (result === null ? null : {}), "a result");
  return `${head(protocolVersion)},"type":"response","id":${JSON.stringify(id)},"result":${body}}`;
}

/** Text of the answer to a request that failed; `id` is null when the request's could not be read. */
export function encodeFailure(id: string | null, error: RpcError, protocolVersion?: string): string {
  const body = stringify(error, "an error");
  return `${head(protocolVersion)},"type":"response","id":${JSON.stringify(id)},"error":${body}}`;
}

/** Text of a notification. `method` carries its prefix. */
export function encodeNotification(
  method: string,
  params: object,
  protocolVersion?: string,
  meta?: EnvelopeMeta,
): string {
  const side = meta === undefined ? "" : `,"_meta":${stringify(meta, "_meta")}`;
  const body = stringify(params, method);
  return `${head(protocolVersion)},"type":"notification","method":${JSON.stringify(method)},"params":${body}${side}}`;
}

const HEAD = `{"jsonrpc":"${JSONRPC_VERSION}","factoryApiVersion":"${FACTORY_API_VERSION}"`;

function head(protocolVersion: string | undefined): string {
  if (protocolVersion === undefined) return HEAD;
  return `${HEAD},"factoryProtocolVersion":${JSON.stringify(protocolVersion)}`;
}

function stringify(value: unknown, what: string): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  throw new ProtocolError(
    "PROTOCOL_VIOLATION",
    `The content of ${what} cannot be written as JSON. Use plain data: no cycles, no BigInt, no functions.`,
    { cause },
  );
}
