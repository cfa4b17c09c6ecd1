import { ConnectionError, type DaemonError } from "../errors.js";
import type { TransportClose } from "../link/index.js";

/** The error of calls after the engine was closed on this side. */
export function closedError(reason: DaemonError | undefined): ConnectionError {
  if (ConnectionError.is(reason)) return reason;
  return new ConnectionError("CONNECTION_CLOSED", "The connection is closed. Open a new one.", { cause: reason });
}

/** The error of calls after the link was closed by the peer or broke. */
export function lostError({ clean, code, reason, error }: TransportClose): ConnectionError {
  const how = clean ? "The peer closed the connection" : "The connection broke";
  const why = reason === "" ? "" : `: ${reason}`;
  return new ConnectionError("CONNECTION_LOST", `${how} (code ${code}${why}).`, { cause: error });
}
