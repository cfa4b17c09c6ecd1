import { isRecord } from "../base/index.js";
import {
  ConnectionError,
  type DaemonErrorCode,
  ProtocolError,
  SessionError,
  SessionMovedError,
  SessionNotFoundError,
} from "../errors.js";
import { RpcCode, type RpcError } from "../session/index.js";

// Facts of the wire: docs/wire/session.md#errors, docs/wire/session.md#error-classes

const CODE_OF_RPC_CODE: ReadonlyMap<number, DaemonErrorCode> = new Map([
  [RpcCode.methodNotFound, "METHOD_NOT_FOUND"],
  [RpcCode.invalidParams, "INVALID_PARAMS"],
  [RpcCode.entityNotFound, "SESSION_NOT_FOUND"],
  [RpcCode.sessionDisconnected, "SESSION_DISCONNECTED"],
]);

/** Codes that do not mean a refused credential: the peer did not understand the request, or failed. */
const MISUNDERSTOOD: ReadonlySet<number> = new Set([
  RpcCode.parseError,
  RpcCode.invalidRequest,
  RpcCode.methodNotFound,
  RpcCode.invalidParams,
  RpcCode.internalError,
]);

/** Codes that our daemon sends in `error.data.code`; any other value there is ignored. */
const TOLD_CODES: ReadonlySet<DaemonErrorCode> = new Set<DaemonErrorCode>([
  "QUEUE_FULL",
  "MESSAGE_TOO_LARGE",
  "AGENTS_BUSY",
  "QUOTA_EXCEEDED",
  "STORAGE_FULL",
  "STORAGE_FAILED",
  "RESUME_TOO_OLD",
  "REQUEST_NOT_PENDING",
  "SESSION_CLOSED",
  "SESSION_MOVED",
  "SESSION_MOVING",
  "SESSION_STATE",
  "PROCESS_START_FAILED",
  "AGENT_LOGIN_REQUIRED",
  "DAEMON_STOPPING",
]);

/**
 * An error that a handler of server requests throws to answer with this code and message. Any other exception is answered
 * with -32603 and a text without the cause.
 */
export class RpcFault extends ProtocolError {
  static override readonly brand: string = "RpcFault";
  declare readonly rpcCode: number;

  /** `message` and `data` are sent to the peer unchanged: no secrets. */
  constructor(rpcCode: number, message: string, data?: unknown) {
    super(CODE_OF_RPC_CODE.get(rpcCode) ?? "REMOTE_ERROR", message, { rpcCode, data });
  }
}

/** What the error needs of the failed call. */
export interface FailedCall {
  readonly id: string;
  /** Full wire name. */
  readonly method: string;
  readonly params: object;
}

/**
 * Maps a failed response to the error class that a caller can act on.
 *
 * The peer's text is kept in the message and, for classes without `rpcCode`, in `cause`. A credential that the peer repeats
 * is removed.
 */
export function errorOfResponse(call: FailedCall, error: RpcError): ConnectionError | ProtocolError | SessionError {
  const text = withoutSecrets(error.message, call.params);
  const raw = { rpcCode: error.code, data: error.data, peerMessage: text };
  const mismatch = versionMismatchOf(error.data);
  if (mismatch !== undefined) return versionMismatch(call.method, mismatch, raw);
  const message = `${call.method} failed: ${text} (code ${error.code}).`;
  const code = CODE_OF_RPC_CODE.get(error.code) ?? toldCode(error.data) ?? "REMOTE_ERROR";
  const remote = new ProtocolError(code, message, raw);
  if (call.method.endsWith(".authenticate") && !MISUNDERSTOOD.has(error.code)) {
    return new ConnectionError("AUTH_REJECTED", `The daemon refused the credential: ${text} (code ${error.code}).`, {
      cause: remote,
    });
  }
  const sessionId = sessionOf(call, error);
  if (code === "SESSION_NOT_FOUND") return new SessionNotFoundError(sessionId ?? call.id, { cause: remote });
  const { machineId } = Object(error.data);
  if (code === "SESSION_MOVED")
    return new SessionMovedError(sessionId ?? call.id, String(machineId), { cause: remote });
  if (code === "SESSION_DISCONNECTED") return new SessionError(code, message, { cause: remote, sessionId });
  return remote;
}

function toldCode(data: unknown): DaemonErrorCode | undefined {
  if (!isRecord(data)) return undefined;
  const code = data.code as DaemonErrorCode;
  return TOLD_CODES.has(code) ? code : undefined;
}

function sessionOf({ params }: FailedCall, { data }: RpcError): string | undefined {
  if ("sessionId" in params && typeof params.sessionId === "string") return params.sessionId;
  return isRecord(data) && typeof data.sessionId === "string" ? data.sessionId : undefined;
}

interface VersionMismatch {
  readonly theirs: string;
  readonly ours: string;
}

/**
 * The versions as the peer reports them: `local` is the peer's version, `peer` is ours
 * (docs/wire/session.md#protocol-version).
 */
function versionMismatchOf(data: unknown): VersionMismatch | undefined {
  if (!isRecord(data)) return undefined;
  const { localFactoryProtocolVersion: theirs, peerFactoryProtocolVersion: ours } = isRecord(
    data.protocolVersionMismatch,
  )
    ? data.protocolVersionMismatch
    : data;
  return typeof theirs === "string" ? { theirs, ours: typeof ours === "string" ? ours : "none" } : undefined;
}

function versionMismatch(
  method: string,
  { theirs, ours }: VersionMismatch,
  raw: { rpcCode: number; data: unknown; peerMessage: string },
): ProtocolError {
  return new ProtocolError(
    "VERSION_MISMATCH",
    `${method} was refused: the peer speaks protocol ${theirs}, this side stated ${ours}. Upgrade the older of the two.`,
    raw,
  );
}

/** Characters; credentials of daemons are longer. */
const SHORTEST_SECRET = 8;
const SECRET_PARAMS = ["token", "apiKey", "proof", "ticket"] as const;

/** Removes credentials from a peer's text. A peer may repeat its params, and errors are logged. */
function withoutSecrets(text: string, params: object): string {
  let clean = text;
  for (const name of SECRET_PARAMS) {
    const secret: unknown = Reflect.get(params, name);
    // A shorter value is a placeholder, and may be a word of the text.
    if (typeof secret === "string" && secret.length >= SHORTEST_SECRET) clean = clean.replaceAll(secret, "[redacted]");
  }
  return clean;
}
