import type { Logger } from "@daemon-sdk/protocol";
import type { Store } from "../../storage/index.js";
import { deliverId, inSession } from "./deliver-text.js";
import type { AttachedReader, Entry, Mailbox } from "./mailbox.js";
import type { MailboxCursor, MailboxSink } from "./mailboxes.js";
import { firstDue } from "./redelivery.js";

/** Bytes read from the store at a time for a reader that is behind. */
const PAGE_BYTES = 256 * 1024;

/** What a reader needs of its mailbox's keeper. */
export interface ReaderOptions {
  readonly mailbox: Mailbox;
  readonly sink: MailboxSink;
  readonly sessionId: string;
  readonly store: Pick<Store, "readMailbox">;
  readonly now: () => number;
  readonly logger: Logger;
  /** It acknowledged something: the state is to be stored. */
  onAcked(mailbox: Mailbox): void;
  /** Something was delivered that waits for an ACK. */
  onDelivered(): void;
  onClosed(reader: MailboxReader): void;
}

/**
 * One reader's place in a mailbox. Live: it gets each entry when that is committed. Behind: it reads the store, page by
 * page, as fast as its sink takes them, until it is live again.
 */
export class MailboxReader implements MailboxCursor, AttachedReader {
  readonly #options: ReaderOptions;
  /** The next position to deliver. */
  #next: number;
  #isReading = false;
  #isClosed = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#next = options.mailbox.lowWater + 1;
  }

  /** Whether it has everything that is stored. */
  get isLive(): boolean {
    return !this.#isClosed && !this.#isReading && this.#next > this.#options.mailbox.lastPosition;
  }

  /** Starts with what waits. */
  start(): void {
    if (this.#next <= this.#options.mailbox.lastPosition) void this.#catchUp();
  }

  ack(entryId: string): void {
    const { mailbox, onAcked } = this.#options;
    if (!this.#isClosed && mailbox.ack(entryId)) onAcked(mailbox);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClosed(this);
  }

  /** Takes entries that were just committed; each reader of a mailbox gets the same ones. */
  onCommitted(entries: readonly Entry[]): void {
    if (this.#isClosed || this.#isReading) return;
    for (const entry of entries) {
      if (entry.position !== this.#next || this.#options.sink.isFull) {
        void this.#catchUp();
        return;
      }
      this.#deliver(entry);
    }
  }

  /** Delivers an entry again; not to a reader that has not come as far. */
  redeliver(entry: Entry): boolean {
    if (this.#isClosed || entry.position >= this.#next || this.#options.sink.isFull) return false;
    this.#options.sink.deliver(inSession(entry.text, this.#options.sessionId), entry.id);
    return true;
  }

  #deliver({ id, position, text, sessionId: madeFor }: Entry): void {
    const { mailbox, sink, sessionId, now } = this.#options;
    this.#next = position + 1;
    if (position > mailbox.waiting.highest) {
      const since = now();
      mailbox.waiting.add({ id, position, bytes: text.length, since, attempt: 0, dueAt: firstDue(since) });
      this.#options.onDelivered();
    }
    sink.deliver(madeFor === sessionId ? text : inSession(text, sessionId), id);
  }

  async #catchUp(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { mailbox, logger } = this.#options;
    try {
      while (!this.#isClosed && this.#next <= mailbox.lastPosition) await this.#deliverPage();
    } catch (error) {
      // The connection goes on: what waits is delivered when the name connects again, or with the next message.
      logger.error({ mailbox: mailbox.address, error: String(error) }, "a mailbox could not be read");
    }
    this.#isReading = false;
  }

  async #deliverPage(): Promise<void> {
    const { mailbox, store, sink } = this.#options;
    const from = Math.max(this.#next, mailbox.lowWater + 1);
    const segments = await store.readMailbox(mailbox.address, from, PAGE_BYTES);
    // Nothing there although something was stored: it was dropped meanwhile.
    if (segments.length === 0) this.#next = mailbox.lastPosition + 1;
    for (const { firstPosition, entries } of segments) {
      for (const [index, text] of entries.entries()) {
        const position = firstPosition + index;
        if (position < this.#next) continue;
        if (sink.isFull) await this.#room();
        if (this.#isClosed || position > mailbox.lastPosition) return;
        if (mailbox.isAcked(position)) this.#next = position + 1;
        else this.#deliver({ id: deliverId(text), position, text });
      }
    }
  }

  /** Waits for the sink; for ever when its connection ends first, and then nobody waits for this. */
  #room(): Promise<void> {
    return new Promise((resolve) => this.#options.sink.onceWritable(resolve));
  }
}
