import { ConnectionError, type FollowSessionResult, METHODS } from "@daemon-sdk/protocol";
import type { ConnectionCalls } from "../connection/index.js";
import type { CreditWire } from "./session-credit.js";

/**
 * Sends one session's credit over a connection.
 *
 * @param sessionId undefined while there is no session
 * @param onFailed called when the daemon refuses to send events
 */
export function creditWire(
  calls: ConnectionCalls,
  sessionId: () => string | undefined,
  onFailed: (error: Error) => void,
): CreditWire {
  return {
    follow(credit, onResult) {
      // Not through `calls`, which wait for a link and repeat what was lost: on a new link the session is resumed with its
      // credit.
      const { engine } = calls;
      const id = sessionId();
      if (id === undefined || engine === undefined) return false;
      const options = { onResult: (result: unknown) => onResult(result as FollowSessionResult) };
      engine.request(METHODS.followSession, { sessionId: id, credit }, options).catch((error: Error) => {
        if (!ConnectionError.is(error) && sessionId() !== undefined) onFailed(error);
      });
      return true;
    },
    grant(credit) {
      const id = sessionId();
      if (id !== undefined) calls.notify("grant_credit", { sessionId: id, ...credit });
    },
  };
}
