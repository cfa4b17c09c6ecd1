import { ConnectionError } from "@daemon-sdk/protocol";

/** The error of a dial that failed below HTTP, or whose answer was no WebSocket. */
export function dialFailed(label: string, why: Error | string): ConnectionError {
  const reason = typeof why === "string" ? why : reasonOf(why);
  return new ConnectionError(
    "CONNECTION_FAILED",
    `Could not connect to ${label}: ${reason}. Check that a daemon listens there.`,
    typeof why === "string" ? {} : { cause: why },
  );
}

/**
 * Header of a refused upgrade (HTTP 403) that names the header of the request that was not accepted: `host` or `origin`. Without
 * it a client could take the refusal for that of a credential.
 */
export const REFUSAL_HEADER = "x-daemon-sdk-refused";

/**
 * The error of an upgrade that was answered with an HTTP status. 401 and 403 are not retryable.
 *
 * @param refused value of {@link REFUSAL_HEADER} in the answer
 */
export function upgradeRefused(label: string, status: number, refused?: string | string[]): ConnectionError {
  if (refused === "host" || refused === "origin") {
    const [header, option] = refused === "host" ? ["Host", "allowedHosts"] : ["Origin", "allowedOrigins"];
    return new ConnectionError(
      "NOT_ALLOWED",
      `${label} does not accept the ${header} of this connection (HTTP ${status}). Connect to its own address, or add this one to the daemon's ${option}.`,
    );
  }
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

/** The error of a byte link whose WebSocket was closed with the code of no polite end. */
export function linkClosed(code: number): ConnectionError {
  return new ConnectionError("CONNECTION_LOST", `The WebSocket was closed with code ${code}.`);
}

/** The error of an attempt without an answer in time. */
export function dialTimedOut(label: string, timeoutMs: number): ConnectionError {
  return new ConnectionError(
    "CONNECT_TIMEOUT",
    `${label} did not answer within ${timeoutMs} ms. Check the address, or raise timeoutMs.`,
  );
}

/** Message of an error, else its `code`: an AggregateError of two addresses has no message. */
function reasonOf(cause: Error): string {
  if (cause.message) return cause.message;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
}
