import { isRecord, type SessionNotification } from "@daemon-sdk/protocol";

/**
 * Reads the answer out of an agent's turn: the last message of the assistant that has text, else the text that was streamed
 * last (docs/wire/agent-stdio.md#a-plain-turn).
 */
export class AgentAnswer {
  #message = "";
  #streamed = "";
  #streamedId: unknown;

  /** Takes a notification of the turn. */
  observe(notification: SessionNotification): void {
    if (notification.type === "assistant_text_delta") this.#stream(notification.messageId, notification.textDelta);
    if (notification.type !== "create_message" || !isRecord(notification.message)) return;
    const { role, content } = notification.message;
    if (role !== "assistant" || !Array.isArray(content)) return;
    const text = content.map(textOf).join("");
    if (text !== "") this.#message = text;
  }

  /** The answer so far; empty without one. */
  get text(): string {
    return this.#message === "" ? this.#streamed : this.#message;
  }

  #stream(messageId: unknown, delta: unknown): void {
    if (typeof delta !== "string") return;
    this.#streamed = messageId === this.#streamedId ? this.#streamed + delta : delta;
    this.#streamedId = messageId;
  }
}

function textOf(block: unknown): string {
  return isRecord(block) && block.type === "text" && typeof block.text === "string" ? block.text : "";
}
