import { type MessageBlock, newId, type SessionMessage, type ToolUseBlock } from "@daemon-sdk/protocol";
import type { Conversation } from "./conversation.js";
import type { SessionOutput } from "./session-output.js";

/** Longest text of a message in characters, because a message must fit into one frame. Deltas are not bounded. */
const MAX_TEXT_CHARS = 4 * 1024 * 1024;

/**
 * One message of the assistant under construction: thinking, text, at most one tool use, as blocks in this order. Deltas are
 * sent at once, the whole message at the end.
 */
export class AssistantMessage {
  readonly id: string = newId();
  readonly #output: SessionOutput;
  readonly #blocks: MessageBlock[] = [];
  #open: { readonly kind: "text" | "thinking"; parts: string[]; chars: number; readonly startedAt: number } | undefined;

  constructor(output: SessionOutput) {
    this.#output = output;
  }

  /** Whether the message has text. Thinking does not count. */
  get hasText(): boolean {
    return this.#open?.kind === "text" || this.#blocks.some(({ type }) => type === "text");
  }

  /** Adds and sends a piece of text. */
  text(textDelta: string): void {
    this.#output.state("streaming_assistant_message");
    this.#append("text", textDelta);
    this.#output.tell({ type: "assistant_text_delta", messageId: this.id, blockIndex: this.#blocks.length, textDelta });
  }

  /** Adds and sends a piece of thinking. */
  think(textDelta: string): void {
    this.#output.state("thinking");
    this.#append("thinking", textDelta);
    this.#output.tell({ type: "thinking_text_delta", messageId: this.id, blockIndex: this.#blocks.length, textDelta });
  }

  /** Adds a tool use. It is sent first with an empty input, as from a model that still writes it, then in full. */
  toolUse(use: ToolUseBlock): void {
    this.#output.state("streaming_assistant_message");
    this.#output.tell({ type: "tool_call", toolUse: { ...use, input: {} } });
    this.#complete();
    this.#output.tell({ type: "tool_call", toolUse: use });
    this.#blocks.push(use);
  }

  /** Ends the message and adds it to the conversation. */
  finish(conversation: Conversation): SessionMessage {
    this.#complete();
    const message = conversation.add({ id: this.id, role: "assistant", content: this.#blocks });
    this.#output.tell({ type: "create_message", message });
    return message;
  }

  #append(kind: "text" | "thinking", piece: string): void {
    if (this.#open?.kind !== kind) {
      this.#complete();
      this.#open = { kind, parts: [], chars: 0, startedAt: Date.now() };
    }
    const room = MAX_TEXT_CHARS - this.#open.chars;
    this.#open.chars += piece.length;
    if (room > 0) this.#open.parts.push(piece.slice(0, room));
  }

  #complete(): void {
    const block = this.#open;
    if (block === undefined) return;
    this.#open = undefined;
    const text = block.parts.join("");
    const at = { messageId: this.id, blockIndex: this.#blocks.length };
    if (block.kind === "text") {
      this.#output.tell({ type: "assistant_text_complete", ...at });
      this.#blocks.push({ type: "text", text });
      return;
    }
    const durationMs = Date.now() - block.startedAt;
    this.#output.tell({ type: "thinking_text_complete", ...at, durationMs });
    this.#blocks.push({ type: "thinking", thinking: text, signature: "", durationMs });
  }
}
