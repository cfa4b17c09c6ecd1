import { isRecord } from "../base/index.js";
import { ProtocolError } from "../errors.js";
import { CLIENT_LIMITS } from "../limits/index.js";
import { FACTORY_API_VERSION, JSONRPC_VERSION } from "../version.js";
import { type EnvelopeMeta, RpcCode, type RpcError, type SessionEnvelope } from "./envelope.js";
import { isSessionEnvelope } from "./guards.js";
import { exceedsDepth, hasUnsafeKey, mayHoldUnsafeKey } from "./json-safety.js";

// Facts of the wire: docs/wire/session.md#errors

/** Result of {@link decodeFrame}. */
export type Decoded = { ok: true; envelope: SessionEnvelope } | DecodeFailure;

/** Why a frame was refused, and the fields of the error response. */
export interface DecodeFailure {
  ok: false;
  /** Code of the error response. */
  rpcCode: number;
  /** Text of the error response. Never contains contents of the frame. */
  message: string;
  /** Id of the error response: the frame's id if that is a string, else null. */
  id: string | null;
  /** `type` of the frame. Do not answer a bad `response` or `notification`: neither expects an answer. */
  type: string | undefined;
  /** `syntax`: no JSON object. `envelope`: a JSON object, but no envelope. `unsafe`: nested too deep, or with keys that replace prototypes. */
  fault: "syntax" | "envelope" | "unsafe";
}

/**
 * Reads one message of the session wire. Never throws.
 *
 * Refuses nesting over {@link LIMITS.jsonDepth}, and keys named `__proto__` (however escaped) or `constructor.prototype`. A
 * request without `params` is read as one with empty params. The size is not checked here: the transport does that.
 */
export function decodeFrame(text: string): Decoded {
  if (!JSON_START.test(text)) return refuse(REFUSALS.notJson, undefined);
  const isTooDeep = exceedsDepth(text, CLIENT_LIMITS.jsonDepth);
  if (isTooDeep && text.length > CLIENT_LIMITS.deepFrameParseBytes) return refuse(REFUSALS.tooDeep, undefined);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(REFUSALS.notJson, undefined);
  }
  if (isTooDeep) return refuse(REFUSALS.tooDeep, value);
  if (mayHoldUnsafeKey(text) && hasUnsafeKey(value)) return refuse(REFUSALS.unsafeKey, value);
  if (isSessionEnvelope(value)) return { ok: true, envelope: value };
  return decodeLeniently(value);
}

/** What JSON can begin with. An exception costs more than all else, and an agent may print a million lines that are no JSON. */
const JSON_START = /^[\s{["\-\dtfn]/;

type Refusal = Pick<DecodeFailure, "fault" | "rpcCode" | "message">;

/** docs/protocol.md, "Errors": -32700 when the frame is not readable as an envelope, -32600 when the envelope cannot be acted on. */
const REFUSALS = {
  notJson: { fault: "syntax", rpcCode: RpcCode.parseError, message: "Parse error: not JSON" },
  noObject: { fault: "syntax", rpcCode: RpcCode.parseError, message: "Parse error: not a JSON object" },
  tooDeep: {
    fault: "unsafe",
    rpcCode: RpcCode.parseError,
    message: `Parse error: nested deeper than ${CLIENT_LIMITS.jsonDepth} levels`,
  },
  noEnvelope: { fault: "envelope", rpcCode: RpcCode.parseError, message: "Invalid JSON-RPC message" },
  badId: { fault: "envelope", rpcCode: RpcCode.invalidRequest, message: "The id of a request must be a string" },
  unsafeKey: {
    fault: "unsafe",
    rpcCode: RpcCode.invalidRequest,
    message: "The keys __proto__ and constructor.prototype are not accepted",
  },
} as const satisfies Record<string, Refusal>;

/** Decodes what the guard refused: a request without params, or a fault. */
function decodeLeniently(value: unknown): Decoded {
  if (typeof value !== "object" || value === null) return refuse(REFUSALS.noObject, undefined);
  if (!isRecord(value) || value.type !== "request") return refuse(REFUSALS.noEnvelope, value);
  const request = { params: {}, ...value };
  if (isSessionEnvelope(request)) return { ok: true, envelope: request };
  const hasOnlyABadId = value.id !== undefined && isSessionEnvelope({ ...request, id: "" });
  return refuse(hasOnlyABadId ? REFUSALS.badId : REFUSALS.noEnvelope, value);
}

function refuse(refusal: Refusal, value: unknown): DecodeFailure {
  const { id, type } = isRecord(value) ? value : {};
  return {
    ok: false,
    ...refusal,
    id: typeof id === "string" ? id : null,
    type: typeof type === "string" ? type : undefined,
  };
}

/** Text of a request. `method` carries its prefix. */
export function encodeRequest(
  method: string,
  id: string,
  params: object,
  protocolVersion?: string,
  meta?: EnvelopeMeta,
): string {
  const body = stringify(params, method);
  const sideBand = meta === undefined ? "" : `,"_meta":${JSON.stringify(meta)}`;
  return `${head(protocolVersion)}${sideBand},"type":"request","id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${body}}`;
}

/** Text of the answer to a request that succeeded; an undefined result is sent as `{}`, because the wire requires a result. */
export function encodeResult(id: string, result: unknown, protocolVersion?: string): string {
  return encodeResultText(id, stringify(result ?? (result === null ? null : {}), "a result"), protocolVersion);
}

/** As {@link encodeResult}, of a result that is JSON already. */
export function encodeResultText(id: string, json: string, protocolVersion?: string): string {
  return `${head(protocolVersion)},"type":"response","id":${JSON.stringify(id)},"result":${json}}`;
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
    `The content of ${what} cannot be written as JSON: remove cycles, bigints and functions.`,
    { cause },
  );
}
