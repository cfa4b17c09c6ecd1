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

/** What an entry that was too large means for those who follow: `isLoss` where nothing of it was stored. */
export function oversizedFault(
  agent: string,
  { type, bytes, maxBytes, missingBytes }: { type: string; bytes: number; maxBytes: number; missingBytes?: number },
): { readonly code: "MESSAGE_TOO_LARGE"; readonly message: string; readonly isLoss: boolean } {
  const what = `Agent "${agent}" sent ${type} of ${bytes} bytes, and at most ${maxBytes} can be delivered.`;
  const isLoss = missingBytes === undefined;
  const become = isLoss
    ? "It was not stored."
    : `${missingBytes} bytes of its texts were left out; the agent has the whole.`;
  return { code: "MESSAGE_TOO_LARGE", message: `${what} ${become}`, isLoss };
}

/** Notifies of a failure that ends no turn, or of something of the agent that is missing or was shortened. */
export function errorNotice(
  { code, message }: Pick<DaemonError, "code" | "message">,
  now: number,
): SessionNotification {
  return { type: "session_notice", code, message, timestamp: now };
}

/** Notifies that the idle agent was stopped for others. */
export function releasedNotice(now: number): SessionNotification {
  const message = "The session's agent was stopped to make room for others. The next message starts it again.";
  return { type: "session_notice", code: "AGENTS_BUSY", message, timestamp: now };
}

/** Notifies that a part of the session is lost: pages of the store were damaged. */
export function damagedNotice(now: number): SessionNotification {
  return {
    type: "session_notice",
    code: "STORAGE_FAILED",
    message:
      "The daemon's store was damaged, and a part of this session is lost: messages, events, or receipts of messages that were " +
      "sent. The rest is here. The damaged file is kept beside the store.",
    timestamp: now,
  };
}

/** The agent starts without variables that the session was made with: they were in the memory of an earlier daemon only. */
export function envLostNotice(names: readonly string[], now: number): SessionNotification {
  return {
    type: "session_notice",
    code: "SESSION_ENV_LOST",
    message:
      `The agent was started without ${names.join(", ")}: the values that this session was made with were kept in memory only. ` +
      "Make a new session with them.",
    timestamp: now,
  };
}

/**
 * The agent began a new conversation in the place of one that it no longer has: for people in the conversation itself, and for
 * programs as a notice. The turn that follows is a success all the same.
 */
export function forgottenNotices(now: number): SessionNotification[] {
  const text = "The agent no longer has the conversation above. It goes on without remembering it.";
  const message = {
    id: newId(),
    role: "system",
    content: [{ type: "text", text }],
    visibility: "user_only",
    createdAt: now,
    updatedAt: now,
  };
  return [
    { type: "create_message", message },
    { type: "session_notice", code: "CONVERSATION_LOST", message: text, timestamp: now },
  ];
}
