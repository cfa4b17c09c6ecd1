import { type MessageBlock, newId, type SessionMessage, type ToolUseBlock } from "@daemon-sdk/protocol";
import type { Conversation } from "./conversation.js";
import type { SessionOutput } from "./session-output.js";

/** Longest text kept in a message, in characters. Deltas go on beyond it; the message has to fit into one frame. */
const MAX_TEXT_CHARS = 4 * 1024 * 1024;

/**
 * One message of the assistant while it is made: thinking, text, at most one tool use, in this order of blocks as they
 * come. Deltas are told at once, the whole at the end.
 */
export class AssistantMessage {
  readonly id: string = newId();
  readonly #output: SessionOutput;
  readonly #blocks: MessageBlock[] = [];
  #open: { readonly kind: "text" | "thinking"; parts: string[]; chars: number; readonly startedAt: number } | undefined;

  constructor(output: SessionOutput) {
    this.#output = output;
  }

  /** Whether something was said in it, thinking not counted. */
  get hasText(): boolean {
    return this.#open?.kind === "text" || this.#blocks.some(({ type }) => type === "text");
  }

  /** Says a piece of text. */
  text(textDelta: string): void {
    this.#output.state("streaming_assistant_message");
    this.#append("text", textDelta);
    this.#output.tell({ type: "assistant_text_delta", messageId: this.id, blockIndex: this.#blocks.length, textDelta });
  }

  /** Thinks a piece of text. */
  think(textDelta: string): void {
    this.#output.state("thinking");
    this.#append("thinking", textDelta);
    this.#output.tell({ type: "thinking_text_delta", messageId: this.id, blockIndex: this.#blocks.length, textDelta });
  }

  /** Asks for a tool: told first with an empty input, as a model that still writes it, then in full. */
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
