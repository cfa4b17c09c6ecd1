import { isRecord, type SessionNotification } from "@daemon-sdk/protocol";

/**
 * What an agent says in one turn, by the ids of its messages and tool calls: what is begun and not finished, and so would belong
 * to this turn if it came late.
 */
export class TurnContent {
  /** Messages and tool calls that are begun. */
  readonly #open = new Set<string>();
  #hasAnswer = false;

  /** Whether there is an answer, and nothing of the turn is begun and not finished. */
  get isFinished(): boolean {
    return this.#hasAnswer && this.#open.size === 0;
  }

  observe(notification: SessionNotification): void {
    const id = contentIdOf(notification);
    if (id === undefined) return;
    switch (notification.type) {
      case "assistant_text_delta":
      case "thinking_text_delta":
      case "tool_call":
        this.#open.add(id);
        break;
      case "assistant_text_complete":
      case "create_message":
      case "tool_result":
        this.#open.delete(id);
        this.#hasAnswer = true;
        break;
    }
  }

  /** Whether a notification continues something that is begun here. */
  isContinuedBy(notification: SessionNotification): boolean {
    const id = contentIdOf(notification);
    return id !== undefined && this.#open.has(id);
  }
}

/** Id of the answer's message, or of the tool call, that a notification is about; undefined for everything else. */
export function contentIdOf(notification: SessionNotification): string | undefined {
  switch (notification.type) {
    case "assistant_text_delta":
    case "assistant_text_complete":
    case "thinking_text_delta":
    case "thinking_text_complete":
      return String(notification.messageId);
    case "create_message": {
      const { message } = notification;
      return isRecord(message) && message.role === "assistant" ? String(message.id) : undefined;
    }
    case "tool_call":
      return isRecord(notification.toolUse) ? `tool ${String(notification.toolUse.id)}` : undefined;
    case "tool_result":
    case "tool_progress_update":
    case "tool_execution_phase_changed":
      return `tool ${String(notification.toolUseId)}`;
    default:
      return undefined;
  }
}
