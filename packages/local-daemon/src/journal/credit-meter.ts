import type { Credit } from "@daemon-sdk/protocol";

/** More than any client can mean; keeps the sums within what every number type can count. */
const MOST = 2 ** 31;

/** What one cursor may still send (docs/protocol.md §9, "Credit"). The last entry may overdraw the bytes. */
export class CreditMeter {
  #events: number;
  #bytes: number;

  constructor({ events, bytes }: Credit) {
    this.#events = Math.min(events, MOST);
    this.#bytes = Math.min(bytes, MOST);
  }

  /** True when no further entry that costs may be sent. */
  get isSpent(): boolean {
    return this.#events <= 0 || this.#bytes <= 0;
  }

  /** One entry of so many bytes was sent. */
  spend(bytes: number): void {
    this.#events--;
    this.#bytes -= bytes;
  }

  grant({ events, bytes }: Credit): void {
    this.#events = Math.min(this.#events + events, MOST);
    this.#bytes = Math.min(this.#bytes + bytes, MOST);
  }
}
