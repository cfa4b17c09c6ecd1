import {
  DaemonError,
  type DaemonErrorCode,
  isRecord,
  ProtocolError,
  RpcCode,
  type RpcError,
  SessionError,
  SessionMovedError,
} from "@daemon-sdk/protocol";
import { briefText } from "../connection/index.js";
import { SERVING_LIMITS } from "../limits/index.js";

/** Codes of ours that have a number of their own on the wire; every other is -32603 (docs/wire/session.md#errors). */
const NUMBERS: Partial<Record<DaemonErrorCode, number>> = {
  METHOD_NOT_FOUND: RpcCode.methodNotFound,
  INVALID_PARAMS: RpcCode.invalidParams,
  AUTH_REJECTED: RpcCode.authentication,
  AUTH_MISSING: RpcCode.authentication,
  SESSION_NOT_FOUND: RpcCode.entityNotFound,
  SESSION_DISCONNECTED: RpcCode.sessionDisconnected,
  PROCESS_EXITED: RpcCode.sessionDisconnected,
  AGENT_UNSTABLE: RpcCode.sessionDisconnected,
};

/** Codes whose `data` is of our own making, and stands in the wire's. */
const OURS: ReadonlySet<DaemonErrorCode> = new Set(["RESUME_TOO_OLD", "REQUEST_NOT_PENDING"]);

/**
 * Numbers an original client takes; it drops a response with any other one and waits for its time-out
 * (docs/wire/session.md#strictness-on-receive).
 */
const KNOWN: ReadonlySet<number> = new Set(Object.values(RpcCode));

/**
 * An error as the wire carries it. `data.code` is our own stable code and `data.retryable` whether asking again can help; the
 * data of an agent's own error is kept. Any other error is a bug, and its text stays in the log.
 */
export function toRpcError(error: unknown): RpcError {
  if (!DaemonError.is(error))
    return { code: RpcCode.internalError, message: "Internal error", data: { code: "INTERNAL" } };
  const { code, retryable, message } = error;
  const told = error instanceof ProtocolError ? error.rpcCode : undefined;
  const number = told !== undefined && KNOWN.has(told) ? told : (NUMBERS[code] ?? RpcCode.internalError);
  const sessionId = error instanceof SessionError ? error.sessionId : undefined;
  const moved = error instanceof SessionMovedError ? { machineId: error.machineId } : {};
  const said = error instanceof ProtocolError ? saidWith(error) : moved;
  return {
    code: number,
    message: briefText(peerMessageOf(error) ?? message),
    data: { ...said, ...(sessionId === undefined ? {} : { sessionId: briefText(sessionId) }), code, retryable },
  };
}

/** The words of an agent that refused a call, as the agent wrote them: the client names the call that failed itself. */
function peerMessageOf(error: DaemonError): string | undefined {
  if (ProtocolError.is(error)) return error.peerMessage;
  return ProtocolError.is(error.cause) ? error.cause.peerMessage : undefined;
}

function saidWith({ code, data }: ProtocolError): object {
  if (OURS.has(code) && isRecord(data)) return data;
  // An agent's detail has no other bound; the answer has to fit into a message.
  const isShort = (JSON.stringify(data)?.length ?? 0) <= SERVING_LIMITS.errorDetailChars;
  return data === undefined || !isShort ? {} : { detail: data };
}
