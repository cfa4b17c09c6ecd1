import type { Logger } from "@daemon-sdk/protocol";
import { MAILBOX_LIMITS } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";
import type { Mailbox } from "./mailbox.js";
import { deliverId } from "./stored-deliver.js";
import { readEntries } from "./stored-entries.js";

/** Options of {@link Redelivery}. */
export interface RedeliveryOptions {
  /** Mailboxes that may hold an entry that is due. */
  mailboxes(): Iterable<Mailbox>;
  readonly store: Pick<Store, "readMailbox">;
  now(): number;
  readonly logger: Logger;
}

/** Delivers entries again whose ACK is overdue. One timer serves all mailboxes; none runs while no entry waits. */
export class Redelivery {
  readonly #options: RedeliveryOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedeliveryOptions) {
    this.#options = options;
  }

  /** An entry waits for its ACK. */
  wake(): void {
    this.#timer ??= setInterval(() => this.#check(), MAILBOX_LIMITS.redeliveryCheckMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    const now = this.#options.now();
    let isAnyWaiting = false;
    for (const mailbox of this.#options.mailboxes()) {
      const { waiting } = mailbox.backlog;
      if (waiting.size === 0) continue;
      isAnyWaiting = true;
      const due = waiting.takeDue(now).map(({ position }) => position);
      if (due.length > 0) void this.#redeliver(mailbox, due);
    }
    if (!isAnyWaiting) this.stop();
  }

  async #redeliver(mailbox: Mailbox, due: readonly number[]): Promise<void> {
    const wanted = new Set(due);
    try {
      while (wanted.size > 0) await this.#redeliverPage(mailbox, wanted);
    } catch (error) {
      this.#options.logger.error({ mailbox: mailbox.address, error: String(error) }, "a mailbox could not be read");
    }
  }

  /** Redelivers the wanted entries of the page that begins with the oldest of them, and removes those from `wanted`. */
  async #redeliverPage(mailbox: Mailbox, wanted: Set<number>): Promise<void> {
    const oldest = Math.min(...wanted);
    const entries = await readEntries(this.#options.store, mailbox.address, oldest);
    for (const { position, text } of entries) {
      if (!wanted.delete(position) || mailbox.backlog.isAcked(position)) continue;
      for (const reader of mailbox.readers) reader.redeliver({ id: deliverId(text), position, text });
    }
    // The store need not have it any more.
    wanted.delete(oldest);
  }
}
