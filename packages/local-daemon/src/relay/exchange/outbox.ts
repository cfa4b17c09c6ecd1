import type { Logger } from "@daemon-sdk/protocol";
import type { MailAccount, MailCarrier, MailReport } from "@daemon-sdk/protocol/relay";
import { EXCHANGE_LIMITS } from "../../limits/index.js";
import type { DurableMailboxes, MailboxCursor, MailboxSink } from "../mailboxes/index.js";
import type { Generations } from "./generations.js";

/** Options of {@link OutboxReader}. */
export interface OutboxReaderOptions {
  readonly machineId: string;
  readonly mailboxes: Pick<DurableMailboxes, "attachOutbox" | "outbox" | "refusedElsewhere">;
  readonly generations: Generations;
  readonly carrier: MailCarrier;
  readonly now: () => number;
  readonly logger: Logger;
  /** Stores the generations. Rejects when the store fails. */
  save(): Promise<void>;
}

/** A letter that was published, and is not reported as stored. */
interface Published {
  readonly id: string;
  readonly position: number;
}

/**
 * Publishes the mail for one machine, in order, and drops what that machine reports as stored: never what the network has
 * acknowledged, which it may lose. What is not reported is published again: when a letter could not be published, when the machine
 * reports a gap, and when its account stands still.
 */
export class OutboxReader implements MailboxSink {
  readonly #options: OutboxReaderOptions;
  readonly #onceWritable = new Set<() => void>();
  #published: Published[] = [];
  #cursor: MailboxCursor | undefined;
  /** Counts the readings; what was published in an earlier one is of no consequence. */
  #reading = 0;
  #inFlight = 0;
  #reported = 0;
  #again: NodeJS.Timeout | undefined;
  #isBroken = false;
  #isClosed = false;
  #gap: number | undefined;
  #quietUntil = 0;
  /** Of the last check: whether reports came since, what was reported then, and how many checks are skipped. */
  #hasProgress = false;
  #isAsking = false;
  #asked: number | undefined;
  #patience = 1;
  #skips = 0;

  constructor(options: OutboxReaderOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#isBroken || this.#inFlight >= EXCHANGE_LIMITS.lettersInFlight;
  }

  onceWritable(callback: () => void): void {
    this.#onceWritable.add(callback);
  }

  /** Publishes everything that is not reported, and each new letter. */
  open(): void {
    this.#reading++;
    this.#published = [];
    this.#inFlight = 0;
    this.#isBroken = false;
    this.#onceWritable.clear();
    this.#cursor?.close();
    this.#cursor = this.#options.mailboxes.attachOutbox(this.#options.machineId, this);
  }

  close(): void {
    this.#isClosed = true;
    this.#reading++;
    clearTimeout(this.#again);
    this.#cursor?.close();
  }

  deliver(text: string, id: string, position: number): void {
    if (position <= this.#reported) {
      this.#cursor?.ack(id);
      return;
    }
    const { machineId, generations, carrier, mailboxes } = this.#options;
    const { id: generation, start } = generations.of(position);
    const { lowWater } = mailboxes.outbox(machineId);
    const reading = this.#reading;
    this.#published.push({ id, position });
    this.#inFlight++;
    carrier.publish(machineId, { generation, start, position, lowWater, text }).then(
      (outcome) => {
        if (outcome === "too_large") void this.#refused([position]);
        this.#settled(reading);
      },
      (error: unknown) => this.#failed(reading, error),
    );
  }

  /** The machine reports what it has stored. */
  async report(report: MailReport): Promise<void> {
    await this.#take(report);
    const now = performance.now();
    // Letters behind a gap are reported one by one.
    if (!report.isGap || (report.position === this.#gap && now < this.#quietUntil)) return;
    this.#gap = report.position;
    this.#quietUntil = now + EXCHANGE_LIMITS.gapQuietMs;
    this.#openAgain(EXCHANGE_LIMITS.gapMs);
  }

  /** Asks for a report that is missing. Called at intervals. */
  async check(): Promise<void> {
    if (this.#published.length === 0 || this.#hasProgress || this.#skips > 0) {
      if (this.#hasProgress) this.#patience = 1;
      this.#skips = this.#hasProgress ? 0 : Math.max(0, this.#skips - 1);
      this.#hasProgress = false;
      return;
    }
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await this.#ask();
    } finally {
      this.#isAsking = false;
    }
  }

  async #ask(): Promise<void> {
    const { machineId, carrier } = this.#options;
    const before = this.#position;
    const account = await carrier.ask(machineId);
    if (account === undefined || this.#isClosed) return;
    await this.#take(account);
    if (this.#position === before) await this.#stands(account, before);
  }

  /** Everything up to here was reported, or dropped. */
  get #position(): number {
    const { machineId, mailboxes } = this.#options;
    return Math.max(mailboxes.outbox(machineId).lowWater, this.#reported);
  }

  /** The account has not moved: the machine has lost it, or the network has lost letters, or they take long. */
  async #stands(account: MailAccount, position: number): Promise<void> {
    const { machineId, generations, now, save, logger } = this.#options;
    if (!generations.isTaken(account, position)) {
      logger.warn({ machineId }, "another machine does not have mail any more that it had reported as stored");
      generations.renew({ now: now(), start: position, above: account.generation });
      await save();
      this.#openAgain(0);
    } else if (this.#asked === position) {
      this.#patience = Math.min(this.#patience * 2, EXCHANGE_LIMITS.mostSkippedChecks);
      this.#skips = this.#patience;
      this.#asked = undefined;
      this.#openAgain(0);
    } else this.#asked = position;
  }

  async #take(account: MailAccount): Promise<void> {
    const { machineId, generations, mailboxes } = this.#options;
    const reached = generations.reached(account);
    const { lowWater } = mailboxes.outbox(machineId);
    if (reached <= Math.max(lowWater, this.#reported)) return;
    const refused = account.refused
      .flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index))
      .filter((position) => position > lowWater && position <= reached);
    if (refused.length > 0) await this.#refused(refused);
    this.#hasProgress = true;
    this.#reported = Math.max(this.#reported, reached);
    let count = 0;
    for (const { id, position } of this.#published) {
      if (position > this.#reported) break;
      this.#cursor?.ack(id);
      count++;
    }
    this.#published.splice(0, count);
  }

  #refused(positions: readonly number[]): Promise<void> {
    const { machineId, mailboxes, logger } = this.#options;
    return mailboxes.refusedElsewhere(machineId, positions).catch((error: unknown) => {
      logger.error({ machineId, error: String(error) }, "a message that was refused is not among the dead letters");
    });
  }

  #settled(reading: number): void {
    if (reading !== this.#reading) return;
    this.#inFlight--;
    if (this.#inFlight > EXCHANGE_LIMITS.lettersInFlight / 2) return;
    for (const callback of this.#onceWritable) {
      this.#onceWritable.delete(callback);
      callback();
    }
  }

  #failed(reading: number, error: unknown): void {
    if (reading !== this.#reading) return;
    this.#options.logger.info({ machineId: this.#options.machineId, error: String(error) }, "mail was not published");
    // Nothing after it may be published before it.
    this.#reading++;
    this.#isBroken = true;
    this.#openAgain(EXCHANGE_LIMITS.publishAgainMs);
  }

  #openAgain(afterMs: number): void {
    if (this.#isClosed || this.#again !== undefined) return;
    const open = () => {
      this.#again = undefined;
      this.open();
    };
    this.#again = setTimeout(open, afterMs).unref();
  }
}
