import type { StopReason } from "@agentclientprotocol/sdk";
import { DaemonError, isRecord, ProtocolError, RpcCode, RpcFault } from "@daemon-sdk/protocol";

/** Numbers of ACP that JSON-RPC does not have. */
export const AcpCode = { authRequired: -32_000, notFound: -32_002, cancelled: -32_800 } as const;

const STOP_REASONS: ReadonlySet<unknown> = new Set<StopReason>([
  "end_turn",
  "max_tokens",
  "max_turn_requests",
  "refusal",
  "cancelled",
]);

/** The end of a turn, as `agent_turn_completed` or a receipt states it. */
export interface TurnEnd {
  readonly turnId: string;
  readonly reason: string;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly stopReason?: unknown;
}

/** The answer to the prompt whose turn ended. An editor that sent a cancel gets no error for it. */
export function promptAnswer(end: TurnEnd, isCancelled: boolean): { readonly stopReason: StopReason } | RpcFault {
  const { reason, stopReason } = end;
  if (isCancelled || reason === "cancelled") return { stopReason: "cancelled" };
  if (stopReason === "refusal") return { stopReason };
  if (reason === "completed") return { stopReason: isStopReason(stopReason) ? stopReason : "end_turn" };
  const message = typeof end.message === "string" ? end.message : `The turn ended: ${reason}.`;
  const isLogin = reason === "model_authentication_failed" || end.code === "AGENT_LOGIN_REQUIRED";
  const code = typeof end.code === "string" ? { code: end.code } : {};
  const data = { reason, turnId: end.turnId, ...code };
  return new RpcFault(isLogin ? AcpCode.authRequired : RpcCode.internalError, message, data);
}

/** An error of the daemon or of ours with the number that an ACP client knows. */
export function faultOf(error: unknown): RpcFault {
  if (RpcFault.is(error)) return error;
  if (!DaemonError.is(error)) return new RpcFault(RpcCode.internalError, "Internal error", { code: "INTERNAL" });
  const { code, retryable } = error;
  const peer = ProtocolError.is(error) ? error : ProtocolError.is(error.cause) ? error.cause : undefined;
  const name = isRecord(peer?.data) && typeof peer.data.code === "string" ? peer.data.code : code;
  return new RpcFault(numberOf(name), peer?.peerMessage ?? error.message, { code: name, retryable });
}

function isStopReason(value: unknown): value is StopReason {
  return STOP_REASONS.has(value);
}

function numberOf(code: string): number {
  switch (code) {
    case "SESSION_NOT_FOUND":
    case "SESSION_CLOSED":
      return AcpCode.notFound;
    case "INVALID_PARAMS":
      return RpcCode.invalidParams;
    case "AUTH_REJECTED":
    case "AUTH_MISSING":
    case "AGENT_LOGIN_REQUIRED":
      return AcpCode.authRequired;
    default:
      return RpcCode.internalError;
  }
}
