import type { SessionMessage, SessionNotification } from "@daemon-sdk/protocol";

/**
 * What would have told the messages of a turn that a gap swallowed: those behind the last one that is known, as notifications.
 *
 * @param isKnown whether a message was seen; the prompt itself counts as unseen until it was shown
 * @param promptId id of the prompt, where the turn begins when nothing of it was seen
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
