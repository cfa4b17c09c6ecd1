import type { FollowedEvent } from "@daemon-sdk/client";
import type { MessageBlock, SessionMessage } from "@daemon-sdk/protocol";
import type { Entry, ToolEntry } from "./entry.js";
import { textOfContent } from "./text-of-content.js";

/**
 * The rows of one session, from stored messages and from events. Each part of a message has a key that both name alike, so that a
 * message which is read and followed at the same time stands here once.
 */
export class Transcript {
  readonly #rows: Entry[] = [];
  readonly #indexOf = new Map<string, number>();
  /** Keys of the parts of a message that were made of deltas. */
  readonly #parts = new Map<string, string[]>();

  /** The rows, oldest first. The same array as long as nothing changes its length. */
  get rows(): readonly Entry[] {
    return this.#rows;
  }

  /** Adds stored messages, oldest first. */
  addMessages(messages: readonly SessionMessage[]): void {
    for (const message of messages) this.#addMessage(message);
  }

  /** Adds older messages before everything that is here. */
  addOlder(messages: readonly SessionMessage[]): void {
    const older = new Transcript();
    older.addMessages(messages);
    const fresh = older.#rows.filter((row) => !this.#indexOf.has(row.key) || !this.#complete(row));
    this.#rows.unshift(...fresh);
    this.#indexOf.clear();
    this.#rows.forEach(({ key }, index) => {
      this.#indexOf.set(key, index);
    });
  }

  /** Forgets every row. */
  clear(): void {
    this.#rows.length = 0;
    this.#indexOf.clear();
    this.#parts.clear();
  }

  /** A prompt that was sent from here, until the daemon's own report of it takes its place. */
  addPrompt(messageId: string, text: string): void {
    if (!this.#indexOf.has(messageId)) this.#put({ kind: "user", key: messageId, text, isWaiting: true });
  }

  /** Takes a prompt back that could not be sent. */
  dropPrompt(messageId: string): void {
    this.#remove([messageId]);
  }

  /** Applies one event of the session. Returns whether a row changed. */
  apply(event: FollowedEvent): boolean {
    switch (event.type) {
      case "user":
      case "assistant":
        this.#addMessage(event.message);
        return true;
      case "assistant_text_delta":
        this.#append("text", event.messageId, event.blockIndex, event.text);
        return true;
      case "thinking_text_delta":
        this.#append("thinking", event.messageId, event.blockIndex, event.text);
        return true;
      case "thinking_text_complete":
        return this.#change(partKey(event.messageId, event.blockIndex), (row) =>
          row.kind === "thinking" ? { ...row, isOpen: false, ...durationOf(event.durationMs) } : row,
        );
      case "assistant_message_retracted":
        this.#remove(this.#parts.get(event.messageId) ?? []);
        return true;
      case "tool_call":
      case "tool_call_delta":
        this.#tool(event.toolUse.id, { name: event.toolUse.name, input: event.toolUse.input });
        return true;
      case "tool_progress":
        return this.#change(event.toolUseId, (row) =>
          row.kind === "tool" && row.state === "running" ? { ...row, output: row.output + event.content } : row,
        );
      case "tool_result":
        this.#tool(event.toolUseId, {
          ...(event.toolName === "" ? {} : { name: event.toolName }),
          state: event.isError ? "failed" : "done",
          output: textOfContent(event.content),
        });
        return true;
      default:
        return this.#applyNotice(event);
    }
  }

  #applyNotice(event: FollowedEvent): boolean {
    const { epoch, seq, part = 0 } = event.position;
    const key = `at:${epoch}:${seq}:${part}`;
    switch (event.type) {
      case "error":
        this.#put({ kind: "notice", key, text: event.message, isError: true });
        return true;
      case "session_notice":
        this.#put({ kind: "notice", key, text: event.message, isError: false });
        return true;
      case "llm_retry":
        this.#put({ kind: "notice", key, text: `Attempt ${event.attempt}: ${event.reason}`, isError: false });
        return true;
      case "result":
        this.#closeParts();
        this.#begun(event.messageId);
        this.#put({ kind: "end", key, outcome: event.subtype, durationMs: event.durationMs });
        if (event.error !== undefined)
          this.#put({ kind: "notice", key: `${key}:error`, text: event.error.message, isError: true });
        return true;
      default:
        return event.turnId !== undefined && this.#begun(event.turnId);
    }
  }

  /** Gives the result of a tool, which was read before its call, the call's name and input. Always true. */
  #complete(call: Entry): true {
    if (call.kind === "tool") this.#tool(call.key, { name: call.name, input: call.input });
    return true;
  }

  /** The turn of a prompt has begun, so the prompt no longer waits. */
  #begun(messageId: string): boolean {
    return this.#change(messageId, (row) =>
      row.kind === "user" && row.isWaiting ? { ...row, isWaiting: false } : row,
    );
  }

  #addMessage(message: SessionMessage): void {
    const { id, role, content, createdAt, visibility } = message;
    if (visibility === "llm_only") return;
    if (role === "user") {
      for (const block of content) if (block.type === "tool_result") this.#result(block);
      const text = content.map(shownText).filter(Boolean).join("\n\n");
      if (text !== "") this.#put({ kind: "user", key: id, text, at: createdAt });
      return;
    }
    const kept = new Set<string>();
    content.forEach((block, index) => {
      const key = this.#addBlock(block, partKey(id, index));
      if (key !== undefined) kept.add(key);
    });
    // Parts that deltas made and that the whole message does not have.
    this.#remove((this.#parts.get(id) ?? []).filter((key) => !kept.has(key)));
    this.#parts.delete(id);
  }

  #addBlock(block: MessageBlock, key: string): string | undefined {
    switch (block.type) {
      case "text":
        if (block.text !== "") this.#put({ kind: "text", key, text: block.text, isOpen: false });
        return key;
      case "thinking":
        this.#put({ kind: "thinking", key, text: block.thinking, isOpen: false, ...durationOf(block.durationMs) });
        return key;
      case "tool_use":
        this.#tool(block.id, { name: block.name, input: block.input });
        return block.id;
      case "tool_result":
        this.#result(block);
        return undefined;
      default:
        return undefined;
    }
  }

  #result({ toolUseId, content = "", isError = false }: Extract<MessageBlock, { type: "tool_result" }>): void {
    this.#tool(toolUseId, { state: isError ? "failed" : "done", output: textOfContent(content) });
  }

  #tool(id: string, changes: Partial<Omit<ToolEntry, "kind" | "key">>): void {
    const index = this.#indexOf.get(id);
    const row = index === undefined ? undefined : this.#rows[index];
    const before: ToolEntry =
      row?.kind === "tool" ? row : { kind: "tool", key: id, name: "tool", input: {}, state: "running", output: "" };
    this.#put({ ...before, ...changes });
  }

  #append(kind: "text" | "thinking", messageId: string, blockIndex: number, piece: string): void {
    const key = partKey(messageId, blockIndex);
    const index = this.#indexOf.get(key);
    const row = index === undefined ? undefined : this.#rows[index];
    if (row === undefined) this.#parts.set(messageId, [...(this.#parts.get(messageId) ?? []), key]);
    // The whole message was read before, and this piece is a part of it.
    else if (row.kind !== kind || !row.isOpen) return;
    const text = (row?.kind === kind ? row.text : "") + piece;
    this.#put({ kind, key, text, isOpen: true });
  }

  /** The turn has ended: nothing that is open is completed any more. */
  #closeParts(): void {
    for (const keys of this.#parts.values())
      for (const key of keys)
        this.#change(key, (row) => (row.kind === "text" || row.kind === "thinking" ? { ...row, isOpen: false } : row));
    for (const row of this.#rows.slice(-LAST_ROWS))
      if (row.kind === "tool" && row.state === "running") this.#put({ ...row, state: "failed" });
    this.#parts.clear();
  }

  #change(key: string, change: (row: Entry) => Entry): boolean {
    const index = this.#indexOf.get(key);
    const row = index === undefined ? undefined : this.#rows[index];
    if (index === undefined || row === undefined) return false;
    const changed = change(row);
    this.#rows[index] = changed;
    return changed !== row;
  }

  #put(row: Entry): void {
    const index = this.#indexOf.get(row.key);
    if (index !== undefined) this.#rows[index] = row;
    else this.#indexOf.set(row.key, this.#rows.push(row) - 1);
  }

  #remove(keys: readonly string[]): void {
    const gone = new Set(keys.filter((key) => this.#indexOf.has(key)));
    if (gone.size === 0) return;
    const kept = this.#rows.filter(({ key }) => !gone.has(key));
    this.#rows.length = 0;
    this.#indexOf.clear();
    for (const row of kept) this.#put(row);
  }
}

/** Rows of a turn among which tools may still run when the turn ends. */
const LAST_ROWS = 200;

function partKey(messageId: string, blockIndex: number): string {
  return `${messageId}:${blockIndex}`;
}

function durationOf(durationMs: number | undefined): { durationMs?: number } {
  return durationMs === undefined ? {} : { durationMs };
}

function shownText(block: MessageBlock): string {
  if (block.type === "text") return block.text;
  return block.type === "image" ? "[image]" : block.type === "document" ? "[document]" : "";
}
