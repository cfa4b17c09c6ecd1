import type { SessionMessage } from "@daemon-sdk/protocol";
import type { MessagePageQuery, MessageRun, MessageRunQuery, NumberedMessages } from "./store.js";

/** Collects one page of messages, from the newest backwards, as far as its query goes. */
export class MessagePage {
  readonly #query: MessagePageQuery;
  readonly #newestFirst: SessionMessage[] = [];
  #bytes = 0;
  #oldestNo: number | undefined;
  #hasMore = false;

  constructor(query: MessagePageQuery) {
    this.#query = query;
  }

  /** Adds the next older message: its number, its JSON, and what parses that. False when the page ends before it. */
  add(no: number, body: string, parse: () => SessionMessage): boolean {
    const { limit, maxBytes } = this.#query;
    const bytes = this.#bytes + Buffer.byteLength(body);
    const count = this.#newestFirst.length;
    this.#hasMore = count >= limit || (maxBytes !== undefined && count > 0 && bytes > maxBytes);
    if (this.#hasMore) return false;
    this.#bytes = bytes;
    this.#newestFirst.push(parse());
    this.#oldestNo = no;
    return true;
  }

  /** The page, oldest message first, and where the next one begins. */
  result(): MessageRun {
    const run = { messages: this.#newestFirst.reverse(), bytes: this.#bytes };
    return this.#hasMore ? { ...run, nextCursor: String(this.#oldestNo) } : run;
  }
}

/** A stored message: its number, its JSON, and what parses that. */
export interface StoredMessage {
  readonly no: number;
  readonly text: string;
  parse(): SessionMessage;
}

/** The messages of a run, of those that a store reads one by one, oldest first. */
export function messageRun(
  stored: Iterable<StoredMessage>,
  { after, limit, maxBytes }: MessageRunQuery,
): NumberedMessages {
  const messages: { no: number; message: SessionMessage }[] = [];
  let bytes = 0;
  for (const { no, text, parse } of stored) {
    if (no <= after) continue;
    bytes += Buffer.byteLength(text);
    if (messages.length === limit || (messages.length > 0 && bytes > maxBytes)) break;
    messages.push({ no, message: parse() });
  }
  return { messages, lastNo: messages.at(-1)?.no ?? after };
}
