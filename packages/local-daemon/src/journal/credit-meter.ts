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
  get events(): number {
    return Math.max(this.#events, 0);
  }

  /** One entry of so many bytes was sent. */
  spend(bytes: number): void {
    this.#events--;
    this.#bytes -= bytes;
  }

  grant({ events, bytes }: Credit): void {
    this.#events = Math.min(this.#events + events, JOURNAL_LIMITS.creditMax);
    this.#bytes = Math.min(this.#bytes + bytes, JOURNAL_LIMITS.creditMax);
  }
}
