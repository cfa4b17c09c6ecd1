import {
  isKnownNotification,
  type MessageBlock,
  type SessionMessage,
  type SessionNotification,
} from "@daemon-sdk/protocol";

/**
 * A conversation as its messages were when the copy began, with what the entries since then changed: by the rules by which the daemon keeps
 * it. An entry that the messages have already changes nothing.
 */
export class Conversation {
  readonly #messages = new Map<string, SessionMessage>();

  /** Messages, oldest first. */
  list(): SessionMessage[] {
    return [...this.#messages.values()];
  }

  /** A message as it is stored: a new one, or another state of one. */
  put(message: SessionMessage): void {
    this.#messages.set(message.id, message);
  }

  /** @param at when the entry was stored, in Unix milliseconds: results of tools state no time */
  apply(notification: SessionNotification, at: number): void {
    if (!isKnownNotification(notification)) return;
    if (notification.type === "create_message") this.put(notification.message);
    else if (notification.type === "assistant_message_retracted") this.#messages.delete(notification.messageId);
    else if (notification.type === "tool_result") {
      const message = toolMessage(notification, at);
      const known = this.#messages.get(message.id);
      this.put(known === undefined ? message : { ...message, createdAt: known.createdAt, updatedAt: known.updatedAt });
    }
  }
}

interface ToolResult {
  readonly messageId: string;
  readonly toolUseId: string;
  readonly content?: unknown;
  readonly isError?: boolean;
  readonly id?: string;
}

/** As the daemon stores it: the id has both parts, because an agent may give several results of one message. */
function toolMessage({ messageId, toolUseId, content, isError, id }: ToolResult, at: number): SessionMessage {
  const block = {
    type: "tool_result",
    toolUseId,
    ...(content === undefined ? {} : { content: blockContent(content) }),
    ...(isError === undefined ? {} : { isError }),
  } as MessageBlock;
  const message = { id: id ?? `${messageId}:${toolUseId}`, role: "tool", content: [block] };
  return { ...message, createdAt: at, updatedAt: at, parentId: messageId };
}

function blockContent(content: unknown): string | MessageBlock[] {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? (content as MessageBlock[]) : JSON.stringify(content);
}
