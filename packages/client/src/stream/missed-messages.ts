import type { SessionMessage, SessionNotification } from "@daemon-sdk/protocol";

/**
 * Notifications for the messages of a turn in a gap: those after the last message that was received.
 *
 * @param isKnown whether a message was received; the prompt itself is not known until the stream has yielded it
 * @param promptId id of the prompt, with which the turn begins if no message of the turn was received
 */
export function missedMessages(
  messages: readonly SessionMessage[],
  isKnown: (messageId: string) => boolean,
  promptId: string,
): SessionNotification[] {
  const last = messages.findLastIndex(({ id }) => isKnown(id) || id === promptId);
  if (last < 0) return [];
  return messages.slice(last).flatMap((message) => (isKnown(message.id) ? [] : notificationsOf(message)));
}

function notificationsOf(message: SessionMessage): SessionNotification[] {
  const results = message.content.flatMap((block) =>
    block.type === "tool_result" ? [{ ...block, type: "tool_result", messageId: message.id }] : [],
  );
  return results.length > 0 ? results : [{ type: "create_message", message }];
}
