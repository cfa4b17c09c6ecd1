import type { Logger } from "@daemon-sdk/protocol";
import { MAILBOX_LIMITS, type RelayLimits } from "../../limits/index.js";
import type { Store, StoredSegment } from "../../storage/index.js";
import type { Mailbox } from "./mailbox.js";

/** Options of {@link Expiry}. */
export interface ExpiryOptions {
  mailboxes(): Iterable<Mailbox>;
  readonly store: Pick<Store, "readMailbox">;
  readonly limits: Pick<RelayLimits, "mailboxAgeMs">;
  now(): number;
  readonly logger: Logger;
  /** Stores that the messages at these positions are dead letters. Rejects when the store fails. */
  onDead(mailbox: Mailbox, positions: readonly number[]): Promise<void>;
  /** Messages of the mailbox were dropped: its row is to be stored. */
  onDropped(mailbox: Mailbox): void;
}

/**
 * Drops messages that were not acknowledged within their age. They become dead letters.
 *
 * One reading of the clock drops nothing: a clock that is a week ahead at a start would drop all mail. The start notes the time
 * only, and from one check to the next at most two periods count as passed.
 */
export class Expiry {
  readonly #options: ExpiryOptions;
  #timer: NodeJS.Timeout | undefined;
  /** The time that is relied on. */
  #time = 0;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Checks each hour from now on. */
  start(): void {
    this.#time = this.#options.now();
    this.#timer = setInterval(() => void this.#checkAgain(), MAILBOX_LIMITS.expiryCheckMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #checkAgain(): Promise<void> {
    try {
      await this.#check();
    } catch (error) {
      this.#options.logger.error({ error: String(error) }, "messages past their age could not be dropped");
    }
  }

  async #check(): Promise<void> {
    this.#time = Math.min(this.#options.now(), this.#time + 2 * MAILBOX_LIMITS.expiryCheckMs);
    for (const mailbox of this.#options.mailboxes()) if (mailbox.backlog.depth > 0) await this.#expire(mailbox);
  }

  async #expire(mailbox: Mailbox): Promise<void> {
    const { store, limits, logger } = this.#options;
    const { address, backlog } = mailbox;
    const oldest = this.#time - limits.mailboxAgeMs;
    let dropped = 0;
    for (;;) {
      const [segment] = await store.readMailbox(address, backlog.lowWater + 1, 1);
      if (segment === undefined || segment.createdAt >= oldest) break;
      dropped += await this.#drop(mailbox, segment);
    }
    if (dropped === 0) return;
    logger.warn({ mailbox: address, dropped }, "messages were not acknowledged within their age, and are dead letters");
  }

  /** Returns how many messages of the segment are dead letters now. */
  async #drop(mailbox: Mailbox, { firstPosition, entries }: StoredSegment): Promise<number> {
    const { backlog } = mailbox;
    const isWaiting = (index: number) => !backlog.isAcked(firstPosition + index);
    const old = [...entries.keys()].filter(isWaiting);
    // Before they are dropped: a daemon that is killed in between has dropped none.
    if (old.length > 0)
      await this.#options.onDead(
        mailbox,
        old.map((index) => firstPosition + index),
      );
    const lost = old.filter(isWaiting);
    const bytes = lost.reduce((sum, index) => sum + (entries[index]?.length ?? 0), 0);
    backlog.dropThrough(firstPosition + entries.length - 1, bytes);
    mailbox.hasLost ||= lost.length > 0;
    this.#options.onDropped(mailbox);
    return lost.length;
  }
}
