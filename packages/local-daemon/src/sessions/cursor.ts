import { CloseCode, DaemonError, type Logger } from "@daemon-sdk/protocol";
import type { FrameRun } from "../storage/store.js";
import { isRequestFrame } from "./journal.js";
import type { SessionClient } from "./session-client.js";

/** Bytes read from the store at a time for a client that lags: one page is all it ever holds in memory. */
const PAGE_BYTES = 256 * 1024;

/** The journal a cursor moves in. */
export interface CursorSource {
  /** Last entry that has been committed, and so may be delivered. */
  readonly committedSeq: number;
  readFrames(fromSeq: number, maxBytes: number): Promise<FrameRun>;
}

/** Options of {@link Cursor}. */
export interface CursorOptions {
  readonly source: CursorSource;
  readonly client: SessionClient;
  /** First entry that it delivers. */
  readonly fromSeq: number;
  /** Whether this client is the one (or one of those) to ask. */
  wantsRequest(frame: string): boolean;
  readonly logger: Logger;
}

/**
 * One client's place in one journal.
 *
 *   held ─start→ lagging ⇄ live          close: any → closed
 *
 * Live, it passes on what was just committed. When the connection is full it lags: it forgets the frames and reads them
 * from the store once the client has caught up, so a client that does not read costs no memory and slows nobody. Each
 * entry is delivered once, in order; a place that the store does not have any more closes the connection, loudly.
 */
export class Cursor {
  readonly #options: CursorOptions;
  #state: "held" | "lagging" | "live" | "closed" = "held";
  #nextSeq: number;
  #isReading = false;

  constructor(options: CursorOptions) {
    this.#options = options;
    this.#nextSeq = options.fromSeq;
  }

  /** Position of the entry it delivers next. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Begins to deliver: call it when the answer that tells the client of its place has been sent. */
  start(): void {
    if (this.#state !== "held") return;
    this.#state = "lagging";
    this.#catchUp();
  }

  /** Takes entries that were just committed. Ignored while it lags: it will read them. */
  deliver(firstSeq: number, frames: readonly string[]): void {
    if (this.#state !== "live") return;
    if (firstSeq !== this.#nextSeq) {
      this.#gap(firstSeq);
      return;
    }
    if (this.#send(frames)) return;
    this.#state = "lagging";
    this.#catchUp();
  }

  /** Delivers nothing more. */
  close(): void {
    this.#state = "closed";
  }

  /** Sends until the connection is full. True when all of it was sent. */
  #send(frames: readonly string[]): boolean {
    const { client, wantsRequest } = this.#options;
    for (const frame of frames) {
      if (client.isFull) return false;
      this.#nextSeq++;
      if (!isRequestFrame(frame) || wantsRequest(frame)) client.send(frame);
    }
    return true;
  }

  #catchUp(): void {
    const { client, source } = this.#options;
    if (this.#isReading || this.#state !== "lagging") return;
    if (client.isFull) client.onceWritable(() => this.#catchUp());
    else if (this.#nextSeq > source.committedSeq) this.#state = "live";
    else void this.#readPage();
  }

  async #readPage(): Promise<void> {
    const { source, logger } = this.#options;
    this.#isReading = true;
    try {
      const run = await source.readFrames(this.#nextSeq, PAGE_BYTES);
      if (this.#state !== "lagging") return;
      if (run.frames.length === 0 || run.firstSeq !== this.#nextSeq) this.#gap(run.firstSeq);
      else this.#send(run.frames);
    } catch (error) {
      logger.error({ error: String(error), seq: this.#nextSeq }, "could not read the journal for a client that lags");
      this.#end(new DaemonError("STORAGE_FAILED", "The journal could not be read. Load the session again."));
    } finally {
      this.#isReading = false;
    }
    this.#catchUp();
  }

  #gap(firstSeq: number): void {
    const text = `The journal no longer has entry ${this.#nextSeq} (it goes on at ${firstSeq}). Load the session again.`;
    this.#end(new DaemonError("SLOW_CONSUMER", text));
  }

  #end(error: DaemonError): void {
    this.close();
    this.#options.client.fail(error, CloseCode.slowConsumer);
  }
}
