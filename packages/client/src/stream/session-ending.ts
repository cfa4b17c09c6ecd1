import { SessionError, SessionMovedError, type SessionNotification } from "@daemon-sdk/protocol";

/** Notifications after which a handle of the session cannot be used, or its agent has ended; each with its error. */
const ENDINGS = new Map([
  ["session_inactivity", ["SESSION_DISCONNECTED", "The daemon stopped the agent for inactivity."]],
  ["session_closed", ["SESSION_CLOSED", "The session was closed elsewhere."]],
  ["session_unsubscribed", ["SESSION_DETACHED", "Another client has the session."]],
] as const);

/** The error that a running stream ends with at this notification; undefined when the stream continues. */
export function endingOf(notification: SessionNotification, sessionId: string): SessionError | undefined {
  const { type, message, reason, machineId } = notification;
  if (type === "session_closed" && reason === "deleted")
    return new SessionError("SESSION_CLOSED", `Session ${sessionId} was deleted.`, { sessionId });
  if (type === "session_closed" && reason === "moved" && typeof machineId === "string")
    return new SessionMovedError(sessionId, machineId);
  const ending = ENDINGS.get(type as "session_closed");
  if (ending === undefined) return undefined;
  const [code, fallback] = ending;
  const text = typeof message === "string" && message !== "" ? message : fallback;
  return new SessionError(code, `${text} Resume session ${sessionId} to continue.`, { sessionId });
}
