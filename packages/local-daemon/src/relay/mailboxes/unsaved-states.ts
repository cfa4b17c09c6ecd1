import { MAILBOX_LIMITS } from "../../limits/index.js";
import type { Mailbox } from "./mailbox.js";

/**
 * Mailboxes whose state has changed since it was stored. Neither a message nor an ACK is worth a write of its own: those of a
 * short while share one.
 */
export class UnsavedStates {
  readonly #onDue: () => void;
  #mailboxes = new Set<Mailbox>();
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;

  /** @param onDue called when the states are to be stored: enlist for the next transaction */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** The mailbox's state is stored after a short while. */
  add(mailbox: Mailbox): void {
    this.#mailboxes.add(mailbox);
    this.#timer ??= setTimeout(() => this.#due(), MAILBOX_LIMITS.saveMs);
  }

  /** The mailbox's whole row is stored with the next transaction. */
  addRow(mailbox: Mailbox): void {
    mailbox.isNew = true;
    this.#mailboxes.add(mailbox);
    this.#due();
  }

  /** The mailbox is dropped. */
  delete(mailbox: Mailbox): void {
    this.#mailboxes.delete(mailbox);
  }

  /** Mailboxes whose state is to be stored in this transaction; empty while none is due. */
  take(): ReadonlySet<Mailbox> {
    if (!this.#isDue) return new Set();
    const mailboxes = this.#mailboxes;
    this.#mailboxes = new Set();
    this.#isDue = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return mailboxes;
  }

  /** Stores what is left with the next transaction, and ends the timer. */
  stop(): void {
    clearTimeout(this.#timer);
    if (this.#mailboxes.size > 0) this.#due();
  }

  #due(): void {
    this.#isDue = true;
    this.#onDue();
  }
}
