import {
  DAEMON_ERROR_CODES,
  DaemonError,
  type DaemonErrorCode,
  isRecord,
  ProcessExitError,
  ProtocolError,
  SessionNotFoundError,
} from "@daemon-sdk/protocol";

/** An error as plain data, for the way from a holder to its daemon. */
export type CarriedError = Readonly<Record<string, unknown>> & { readonly code: string; readonly message: string };

/** The fields of an error that callers of an agent read. */
export function carryError(error: unknown): CarriedError {
  const message = error instanceof Error ? error.message : String(error);
  const code = DaemonError.is(error) ? error.code : "INTERNAL";
  if (ProcessExitError.is(error)) return { code, message, exitCode: error.exitCode, signal: error.signal };
  if (SessionNotFoundError.is(error)) return { code, message, missing: error.sessionId };
  if (!ProtocolError.is(error)) return { code, message };
  const { rpcCode, data, peerMessage } = error;
  return { code, message, protocol: { rpcCode, data, peerMessage } };
}

/** The error that was carried. */
export function reviveError(carried: CarriedError): DaemonError {
  const { message, exitCode = null, signal = null, missing, protocol } = carried;
  const code = Object.hasOwn(DAEMON_ERROR_CODES, carried.code) ? (carried.code as DaemonErrorCode) : "INTERNAL";
  if ("exitCode" in carried) {
    const end = { exitCode: exitCode as number | null, signal: signal as string | null };
    return new ProcessExitError(message, { ...end, code });
  }
  if (typeof missing === "string") return new SessionNotFoundError(missing);
  return isRecord(protocol) ? new ProtocolError(code, message, protocol) : new DaemonError(code, message);
}

/** Whether an answer states a failure. */
export function failureIn(answer: unknown): CarriedError | undefined {
  if (!isRecord(answer) || !isRecord(answer.failed)) return undefined;
  const { code, message } = answer.failed;
  return typeof code === "string" && typeof message === "string" ? (answer.failed as CarriedError) : undefined;
}
