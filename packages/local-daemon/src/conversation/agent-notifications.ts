import { isRecord, type SessionNotification } from "@daemon-sdk/protocol";

/** Only the daemon may write these: they need no credit, and clients act on them. */
const OF_THE_DAEMON: ReadonlySet<string> = new Set([
  "agent_turn_completed",
  "agent_state_changed",
  "ask_user_resolved",
  "session_closed",
  "session_unsubscribed",
  "tool_execution_heartbeat",
]);

/** Whether an agent may send that to its session. */
export function isOfAgent(notification: SessionNotification): boolean {
  if (notification.type === "session_notice") return notification.code === "AGENT_NOTICE";
  return !OF_THE_DAEMON.has(notification.type);
}

/**
 * Replaces the agent's id of a prompt by the one that the client sent and waits for
 * (docs/wire/session.md#acknowledgements).
 *
 * @param requestId that of the running turn; undefined when none runs
 */
export function withRequestId(notification: SessionNotification, requestId: string | undefined): SessionNotification {
  const isPrompt = notification.type === "create_message" && notification.requestId !== undefined;
  if (!isPrompt || requestId === undefined) return notification;
  const isOfUser = isRecord(notification.message) && notification.message.role === "user";
  return isOfUser ? { ...notification, requestId } : notification;
}

const LASTING: ReadonlySet<string> = new Set([
  ...["permission_resolved", "droid_working_state_changed", "session_token_usage_changed"],
]);

/** Whether it is stored also of an agent whose output is cut off: it replaces what there is, or ends something. */
export function isLasting({ type }: Pick<SessionNotification, "type">): boolean {
  return LASTING.has(type);
}
