import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { ListedSession } from "./session-reader.js";

/** How a command describes its argument `<session>`. */
export const SESSION_ARGUMENT = "id of a session, its first characters, or `last` for the newest one";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** A shorter beginning is a guess. */
const LEAST_CHARS = 4;

/**
 * The id that an argument names. A whole id is not looked up: the call it is for answers whether it exists. Rejects with
 * `SESSION_NOT_FOUND`, or `INVALID_OPTION` where several sessions begin so.
 */
export async function sessionIdOf(text: string, sessions: () => AsyncIterable<ListedSession>): Promise<string> {
  if (UUID.test(text)) return text;
  const found: string[] = [];
  for await (const { sessionId } of sessions()) {
    if (text === "last" || sessionId === text) return sessionId;
    if (text.length >= LEAST_CHARS && sessionId.startsWith(text)) found.push(sessionId);
  }
  const [id, ...others] = found;
  if (id === undefined) {
    const what = text === "last" ? "There is no session yet." : `No session's id is or begins with ${text}.`;
    throw new DaemonError("SESSION_NOT_FOUND", `${what} "local-daemon sessions" lists them.`);
  }
  if (others.length === 0) return id;
  throw new InvalidOptionError("session", `the beginning of one id; these begin with ${text}: ${found.join(", ")}`);
}
