import type { Position, SessionEntry, SessionMessage, SessionNotification } from "@daemon-sdk/protocol";
import { Conversation } from "./conversation.js";
import type { BaseHead, LogHead } from "./replica-head.js";

/** Up to where a replica goes. */
export interface ReplicaEnd {
  /** Position of the last entry that the replica has, or that its messages have seen. */
  readonly position: Position;
  /** When that was stored on the machine, in Unix milliseconds. */
  readonly at: number;
}

/** One copy of a session, from its beginning on. */
export class SessionCopy {
  readonly conversation = new Conversation();
  readonly #onEntry: ((entry: SessionEntry) => void) | undefined;
  #parts: Uint8Array[] = [];
  #isWhole = false;
  #seq: number | undefined;
  #end: ReplicaEnd | undefined;
  #entriesEnd: ReplicaEnd | undefined;
  #pieces: Uint8Array[] = [];

  /** @param onEntry called for each entry, in order */
  constructor(onEntry?: (entry: SessionEntry) => void) {
    this.#onEntry = onEntry;
  }

  /** Whether the conversation is there from its first message on. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Up to where the entries go: behind the conversation, which is there first. */
  get entriesEnd(): ReplicaEnd | undefined {
    return this.#entriesEnd;
  }

  /** Up to where the conversation goes. */
  get end(): ReplicaEnd | undefined {
    return this.#end;
  }

  /** Takes a part of the conversation. Returns whether that was the last one, and all are there. */
  addBase(head: BaseHead, body: Uint8Array): boolean {
    if (head.index !== this.#parts.length) return false;
    this.#parts.push(body);
    if (!head.isLast) return false;
    for (const line of textOf(this.#parts).split("\n")) {
      if (line !== "") this.conversation.put(JSON.parse(line) as SessionMessage);
    }
    this.#parts = [];
    this.#isWhole = true;
    this.#seq = head.from;
    this.#end = { position: { epoch: head.epoch, seq: head.through }, at: head.at };
    return true;
  }

  /** Takes entries. Those that are there already, and those behind a gap, are passed over: they come again. */
  addLog(head: LogHead, body: Uint8Array): void {
    // Without a beginning, which made room for later messages, the copy begins with the first entries that are left.
    this.#seq ??= head.after;
    if (head.after > this.#seq) return;
    const whole = this.#joined(head, body);
    if (whole === undefined) return;
    for (const [index, text] of textOf(whole).split("\n").entries()) {
      const seq = head.first + index;
      if (seq <= this.#seq) continue;
      this.#seq = seq;
      this.#apply({ epoch: head.epoch, seq }, text, head.at);
    }
  }

  /** The body of a message, or of an entry in pieces once its last one is there. */
  #joined({ piece }: LogHead, body: Uint8Array): readonly Uint8Array[] | undefined {
    if (piece === undefined) return [body];
    const [index, count] = piece;
    if (index === 0) this.#pieces = [];
    if (index !== this.#pieces.length) return undefined;
    this.#pieces.push(body);
    if (this.#pieces.length < count) return undefined;
    const whole = this.#pieces;
    this.#pieces = [];
    return whole;
  }

  #apply(position: Position, text: string, at: number): void {
    const notification = JSON.parse(text) as SessionNotification;
    this.conversation.apply(notification, at);
    this.#entriesEnd = { position, at };
    if (this.#end === undefined || position.seq >= this.#end.position.seq) this.#end = { position, at };
    this.#onEntry?.({ ...position, notification });
  }
}

function textOf(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}
