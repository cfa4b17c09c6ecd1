import type { Logger } from "@daemon-sdk/protocol";
import { MAILBOX_LIMITS, type RelayLimits } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";
import type { Mailbox } from "./mailbox.js";

/** Options of {@link Expiry}. */
export interface ExpiryOptions {
  mailboxes(): Iterable<Mailbox>;
  readonly store: Pick<Store, "readMailbox">;
  readonly limits: Pick<RelayLimits, "mailboxAgeMs">;
  now(): number;
  readonly logger: Logger;
  /** Messages of the mailbox were dropped: its row is to be stored. */
  onDropped(mailbox: Mailbox): void;
}

/** Drops messages that were not acknowledged within their age. */
export class Expiry {
  readonly #options: ExpiryOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Checks now, then each hour. Rejects when the store fails. */
  async start(): Promise<void> {
    await this.#check();
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
    for (const mailbox of this.#options.mailboxes()) if (mailbox.backlog.depth > 0) await this.#expire(mailbox);
  }

  async #expire(mailbox: Mailbox): Promise<void> {
    const { store, limits, now, logger, onDropped } = this.#options;
    const { address, backlog } = mailbox;
    const oldest = now() - limits.mailboxAgeMs;
    let dropped = 0;
    for (;;) {
      const [segment] = await store.readMailbox(address, backlog.lowWater + 1, 1);
      if (segment === undefined || segment.createdAt >= oldest) break;
      const old = segment.entries.filter((_, index) => !backlog.isAcked(segment.firstPosition + index));
      dropped += old.length;
      const bytes = old.reduce((sum, text) => sum + text.length, 0);
      backlog.dropThrough(segment.firstPosition + segment.entries.length - 1, bytes);
    }
    if (dropped === 0) return;
    mailbox.hasLost = true;
    onDropped(mailbox);
    logger.warn({ mailbox: address, dropped }, "messages were not acknowledged within their age, and dropped");
  }
}
