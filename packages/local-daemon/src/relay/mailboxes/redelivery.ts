import type { Mailbox } from "./mailbox.js";
import type { Waiting } from "./waiting-list.js";

/** Times of redelivery after the first delivery; then each minute. */
const SCHEDULE_MS = [5_000, 10_000, 20_000, 40_000] as const;
const LATER_MS = 60_000;
/** Time between two looks at what is due. */
const LOOK_MS = 1_000;

/** When an entry that was delivered at `since` is delivered again. */
export function firstDue(since: number): number {
  return since + SCHEDULE_MS[0];
}

/** Moves an entry to its next time of redelivery. */
export function postpone(entry: Waiting): void {
  entry.attempt++;
  const step = SCHEDULE_MS[entry.attempt];
  entry.dueAt = step === undefined ? entry.dueAt + LATER_MS : entry.since + step;
}

/** Options of {@link Redelivery}. */
export interface RedeliveryOptions {
  /** Mailboxes that may hold something due. */
  mailboxes(): Iterable<Mailbox>;
  now(): number;
  /** Delivers these again; they are due, in the order of their first delivery. */
  redeliver(mailbox: Mailbox, due: readonly Waiting[]): void;
}

/** Looks for entries whose ACK is overdue: one timer for all mailboxes, and none while nothing waits. */
export class Redelivery {
  readonly #options: RedeliveryOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedeliveryOptions) {
    this.#options = options;
  }

  /** Something waits. */
  wake(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = this.#options.now();
    let isAnyWaiting = false;
    for (const mailbox of this.#options.mailboxes()) {
      if (mailbox.waiting.size === 0) continue;
      isAnyWaiting = true;
      const due = [...mailbox.waiting.values()].filter(({ dueAt }) => dueAt <= now);
      if (due.length > 0) this.#options.redeliver(mailbox, due);
    }
    if (!isAnyWaiting) this.stop();
  }
}
