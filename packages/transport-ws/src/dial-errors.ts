import { ConnectionError } from "@daemon-sdk/protocol";

/** The dial failed below HTTP, or the answer was no WebSocket. */
export function dialFailed(label: string, why: Error | string): ConnectionError {
  const reason = typeof why === "string" ? why : reasonOf(why);
  return new ConnectionError(
    "CONNECTION_FAILED",
    `Could not connect to ${label}: ${reason}. Check that a daemon listens there.`,
    typeof why === "string" ? {} : { cause: why },
  );
}

/** A server answered the upgrade with an HTTP status. 401 and 403 are refusals: the same request again cannot help. */
export function upgradeRefused(label: string, status: number): ConnectionError {
  if (status === 401 || status === 403) {
    return new ConnectionError(
      "AUTH_REJECTED",
      `${label} refused the connection with HTTP ${status}. Check the credential, and that this origin and host are allowed there.`,
    );
  }
  return new ConnectionError(
    "CONNECTION_FAILED",
    `${label} answered with HTTP ${status} instead of a WebSocket. Check the address and its path.`,
  );
}

/** A byte link whose WebSocket ended with another code than that of a polite end. */
export function linkClosed(code: number): ConnectionError {
  return new ConnectionError("CONNECTION_LOST", `The WebSocket was closed with code ${code}.`);
}

/** No answer within the time of one attempt. */
export function dialTimedOut(label: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(
    "CONNECT_TIMEOUT",
    `${label} did not answer within ${timeoutMs} ms. Check the address, or raise timeoutMs.`,
  );
}

/** Some errors of Node say all in `code` (an AggregateError of two addresses has no message). */
function reasonOf(cause: Error): string {
  if (cause.message) return cause.message;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
}
