import { type DaemonError, newId, type SessionNotification } from "@daemon-sdk/protocol";

/** Notifies that the session can no longer be stored. No `error`, which would fail the running turn. */
export function undurableNotice(error: DaemonError, now: number): SessionNotification {
  return {
    type: "session_notice",
    code: error.code,
    message: `${error.message} This session goes on; its events are not kept until that is over.`,
    timestamp: now,
  };
}

/** For people, in the conversation itself: the turn that follows is a success all the same. */
export function forgottenNotice(now: number): SessionNotification {
  const text = "The agent no longer has the conversation above. It goes on without remembering it.";
  const message = {
    id: newId(),
    role: "system",
    content: [{ type: "text", text }],
    visibility: "user_only",
    createdAt: now,
    updatedAt: now,
  };
  return { type: "create_message", message };
}
