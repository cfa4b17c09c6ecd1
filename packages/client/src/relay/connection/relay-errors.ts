import { ConnectionError, type DaemonError, ProtocolError, TimeoutError } from "@daemon-sdk/protocol";
import type { ErrorPayload } from "@daemon-sdk/protocol/relay";

/**
 * The error with which a call rejects after an ERROR of the daemon; `data` has its code and the id that it names
 * (docs/wire/relay.md#error-envelopes).
 */
export function errorOf(payload: ErrorPayload): DaemonError {
  const { code, message, ref_id: refId } = payload;
  const data = { code, refId };
  if (code === "NOT_FOUND") return new ProtocolError("RECIPIENT_NOT_FOUND", `The daemon reports: ${message}`, { data });
  if (code === "BUSY") return new ProtocolError("QUEUE_FULL", message, { data });
  if (code === "TIMEOUT" || message.startsWith("ACK timeout")) {
    const timeoutMs = Number(/\d+/.exec(message)?.[0] ?? 0);
    return new TimeoutError("The answer of the addressee", timeoutMs);
  }
  return new ProtocolError("REMOTE_ERROR", `The daemon refuses (${code}): ${message}`, { data });
}

/** A fatal ERROR: the connection ends, and another one would be refused as well. */
export function fatalError(payload: ErrorPayload): ConnectionError {
  if (payload.code === "DUPLICATE_CONNECTION") {
    return new ConnectionError(
      "NAME_TAKEN",
      `The daemon reports: ${payload.message} Use one connection per agent name.`,
    );
  }
  if (payload.code === "UNAUTHORIZED") {
    return new ConnectionError("AUTH_REJECTED", `The daemon refused this client: ${payload.message}`);
  }
  const cause = errorOf(payload);
  return new ConnectionError("CONNECTION_LOST", `The daemon ended the connection: ${payload.message}`, { cause });
}

/** The link has ended unexpectedly. */
export function linkLost(cause?: Error): ConnectionError {
  const why = cause === undefined ? "the daemon closed it" : cause.message;
  return new ConnectionError("CONNECTION_LOST", `The connection to the relay was lost: ${why}.`, { cause });
}

/** `close()` was called, or the client has ended. */
export function clientClosed(): ConnectionError {
  return new ConnectionError("CONNECTION_CLOSED", "This relay client is closed. Make a new one.");
}
