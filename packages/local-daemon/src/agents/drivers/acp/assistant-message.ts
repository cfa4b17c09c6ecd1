import { type MessageBlock, newId, type SessionNotification } from "@daemon-sdk/protocol";

/** Receives notifications in order. */
export type Emit = (notification: SessionNotification) => void;

/** Options of {@link AssistantMessage}. */
export interface AssistantMessageOptions {
  readonly id?: string;
  readonly now: () => number;
  readonly emit: Emit;
}

type OpenBlock =
  | { readonly kind: "text"; text: string }
  | { readonly kind: "thinking"; text: string; readonly startedAt: number };

/**
 * One message of the assistant while it is written: deltas per block, and at its end the whole as `create_message`
 * (docs/wire/agent-stdio.md#a-plain-turn).
 */
export class AssistantMessage {
  readonly id: string;

  readonly #options: AssistantMessageOptions;
  readonly #createdAt: number;
  readonly #blocks: MessageBlock[] = [];
  #open: OpenBlock | undefined;

  constructor(options: AssistantMessageOptions) {
    this.#options = options;
    this.id = options.id ?? newId();
    this.#createdAt = options.now();
  }

  /** Whether any text of it was written. */
  get hasText(): boolean {
    return this.#open?.kind === "text" || this.#blocks.some(({ type }) => type === "text");
  }

  text(textDelta: string): void {
    if (textDelta === "") return;
    this.#begin("text").text += textDelta;
    this.#options.emit({ type: "assistant_text_delta", ...this.#place, textDelta });
  }

  thinking(textDelta: string): void {
    if (textDelta === "") return;
    this.#begin("thinking").text += textDelta;
    this.#options.emit({ type: "thinking_text_delta", ...this.#place, textDelta });
  }

  /** Adds a block that has no deltas: an image, a document, a use of a tool. */
  block(block: MessageBlock): void {
    this.#endBlock();
    this.#blocks.push(block);
  }

  /** Ends the message. Nothing is written when it is empty. */
  end(): void {
    this.#endBlock();
    if (this.#blocks.length === 0) return;
    const message = {
      id: this.id,
      role: "assistant",
      content: this.#blocks,
      createdAt: this.#createdAt,
      updatedAt: this.#options.now(),
    };
    this.#options.emit({ type: "create_message", message });
  }

  /** Where the open block is. */
  get #place(): { readonly messageId: string; readonly blockIndex: number } {
    return { messageId: this.id, blockIndex: this.#blocks.length };
  }

  #begin(kind: OpenBlock["kind"]): OpenBlock {
    if (this.#open?.kind === kind) return this.#open;
    this.#endBlock();
    const open: OpenBlock = kind === "text" ? { kind, text: "" } : { kind, text: "", startedAt: this.#options.now() };
    this.#open = open;
    return open;
  }

  #endBlock(): void {
    const open = this.#open;
    if (open === undefined) return;
    const place = this.#place;
    this.#open = undefined;
    if (open.kind === "text") {
      this.#options.emit({ type: "assistant_text_complete", ...place });
      this.#blocks.push({ type: "text", text: open.text });
      return;
    }
    const durationMs = this.#options.now() - open.startedAt;
    this.#options.emit({ type: "thinking_text_complete", ...place, durationMs });
    this.#blocks.push({ type: "thinking", thinking: open.text, durationMs });
  }
}
