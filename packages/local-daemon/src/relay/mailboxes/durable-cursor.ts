import type { Logger } from "@daemon-sdk/protocol";
import type { Store } from "../../storage/index.js";
import type { Backlog } from "./backlog.js";
import type { MailboxCursor, MailboxSink } from "./mailboxes.js";
import { awaitedId, deliverId, inSession } from "./stored-deliver.js";
import { readEntries } from "./stored-entries.js";
import { firstDue } from "./waiting-list.js";

/** An entry on its way to a reader. */
export interface Entry {
  readonly id: string;
  readonly position: number;
  readonly text: string;
  /** The session named in the text, where it is known. */
  readonly sessionId?: string | undefined;
}

/** Options of {@link DurableCursor}. */
export interface MailboxReaderOptions {
  readonly address: string;
  readonly backlog: Backlog;
  readonly sink: MailboxSink;
  readonly sessionId: string;
  readonly store: Pick<Store, "readMailbox">;
  readonly now: () => number;
  readonly logger: Logger;
  /** The backlog has changed by an ACK and is to be stored. */
  onAcked(): void;
  /** An entry waits for its ACK. */
  onDelivered(): void;
  onClosed(reader: DurableCursor): void;
}

/**
 * One cursor in a mailbox. Live: it delivers each entry when that is committed. Lagging: it reads the store page by page, as
 * fast as its sink takes them, until it is live again.
 */
export class DurableCursor implements MailboxCursor {
  readonly #options: MailboxReaderOptions;
  /** The next position to deliver. */
  #next: number;
  #isReading = false;
  #isClosed = false;

  constructor(options: MailboxReaderOptions) {
    this.#options = options;
    this.#next = options.backlog.lowWater + 1;
  }

  /** Whether every stored entry was delivered. */
  get isLive(): boolean {
    return !this.#isClosed && !this.#isReading && this.#next > this.#options.backlog.lastPosition;
  }

  /** Starts with what is not acknowledged. */
  start(): void {
    if (this.#next <= this.#options.backlog.lastPosition) void this.#catchUp();
  }

  ack(entryId: string): void {
    if (!this.#isClosed && this.#options.backlog.ack(entryId)) this.#options.onAcked();
  }

  ackAwaited(correlationId: string): void {
    const entryId = this.#options.backlog.waiting.idOfAwaited(correlationId);
    if (entryId !== undefined) this.ack(entryId);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onClosed(this);
  }

  /** Takes entries that were just committed; all readers of a mailbox get the same ones. */
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

  /** Delivers an entry again. Does nothing when this reader has not delivered it yet, or its sink is full. */
  redeliver({ id, position, text }: Entry): void {
    if (this.#isClosed || position >= this.#next || this.#options.sink.isFull) return;
    this.#options.sink.deliver(inSession(text, this.#options.sessionId), id, position);
  }

  #deliver({ id, position, text, sessionId: madeFor }: Entry): void {
    const { backlog, sink, sessionId, now } = this.#options;
    this.#next = position + 1;
    if (position > backlog.waiting.highest) {
      const since = now();
      const due = { since, attempt: 0, dueAt: firstDue(since) };
      backlog.waiting.add({ id, position, bytes: text.length, awaitedId: awaitedId(text), ...due });
      this.#options.onDelivered();
    }
    sink.deliver(madeFor === sessionId ? text : inSession(text, sessionId), id, position);
  }

  async #catchUp(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { address, backlog, logger } = this.#options;
    try {
      while (!this.#isClosed && this.#next <= backlog.lastPosition) await this.#deliverPage();
    } catch (error) {
      // The connection stays: what waits is delivered with the next message, or after the next HELLO.
      logger.error({ mailbox: address, error: String(error) }, "a mailbox could not be read");
    }
    this.#isReading = false;
  }

  async #deliverPage(): Promise<void> {
    const { address, backlog, store, sink } = this.#options;
    const entries = await readEntries(store, address, Math.max(this.#next, backlog.lowWater + 1));
    // Entries that were stored and are not found were dropped meanwhile.
    if (entries.length === 0) this.#next = backlog.lastPosition + 1;
    for (const { position, text } of entries) {
      if (sink.isFull) await this.#room();
      if (this.#isClosed || position > backlog.lastPosition) return;
      if (backlog.isAcked(position)) this.#next = position + 1;
      else this.#deliver({ id: deliverId(text), position, text });
    }
  }

  /** Resolves when the sink has room; never, if the connection ends first. */
  #room(): Promise<void> {
    return new Promise((resolve) => this.#options.sink.onceWritable(resolve));
  }
}
