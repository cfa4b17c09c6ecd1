import type { Credit } from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";

/** What one cursor may still send (docs/protocol.md §9, "Credit"). The last entry may overdraw the bytes. */
export class CreditMeter {
  #events: number;
  #bytes: number;

  constructor({ events, bytes }: Credit) {
    this.#events = Math.min(events, JOURNAL_LIMITS.creditMax);
    this.#bytes = Math.min(bytes, JOURNAL_LIMITS.creditMax);
  }

  /** True when no further entry that costs may be sent. */
  get isSpent(): boolean {
    return this.#events <= 0 || this.#bytes <= 0;
  }

  /** Entries that it still covers, whatever their size. */
  get entries(): number {
    return Math.max(this.#events, 0);
  }

  /** Bytes that it still covers. */
  get bytes(): number {
    return Math.max(this.#bytes, 0);
  }

  /** A message of so many bytes was sent, with so many entries. */
  spend(bytes: number, entries = 1): void {
    this.#events -= entries;
    this.#bytes -= bytes;
  }

  grant({ events, bytes }: Credit): void {
    this.#events = Math.min(this.#events + events, JOURNAL_LIMITS.creditMax);
    this.#bytes = Math.min(this.#bytes + bytes, JOURNAL_LIMITS.creditMax);
  }
}
