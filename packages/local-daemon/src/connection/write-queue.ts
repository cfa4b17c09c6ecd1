import { ConnectionError, LIMITS, type Transport } from "@daemon-sdk/protocol";

/** What a queue needs of its link. */
type Outbound = Pick<Transport, "bufferedBytes" | "onWritable" | "send">;

/** Options of {@link WriteQueue}. */
export interface WriteQueueOptions {
  readonly transport: Outbound;
  /** Bytes waiting above which the queue is full, where the transport counts that as much; default `LIMITS.connectionBufferBytes`. */
  readonly bufferBytes?: number;
  /** How long it may stay full; default `LIMITS.slowConsumerMs`. */
  readonly slowMs?: number;
  /** The peer left it full for too long, or sends requests without reading the answers. */
  onSlow(error: ConnectionError): void;
}

/**
 * What waits to be written on one connection, and whether more should come.
 *
 * It takes everything it is given, so an answer is never lost to a full buffer; journals stop at {@link isFull} and go on
 * when {@link onceWritable} calls. What a peer makes us say without reading is bounded by twice the buffer and a frame.
 */
export class WriteQueue {
  readonly #transport: Outbound;
  readonly #bufferBytes: number;
  readonly #slowMs: number;
  readonly #onSlow: (error: ConnectionError) => void;
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: WriteQueueOptions) {
    this.#transport = options.transport;
    this.#bufferBytes = options.bufferBytes ?? LIMITS.connectionBufferBytes;
    this.#slowMs = options.slowMs ?? LIMITS.slowConsumerMs;
    this.#onSlow = options.onSlow;
    options.transport.onWritable = () => this.#drained();
  }

  /** Bytes accepted that have not left this process. */
  get bufferedBytes(): number {
    return this.#transport.bufferedBytes;
  }

  /** True while the peer has to read before more should be sent. */
  get isFull(): boolean {
    return this.#timer !== undefined;
  }

  /** Takes one message. False when nothing more should be sent for now, or ever. */
  send(text: string): boolean {
    if (this.#isClosed) return false;
    const isFree = this.#transport.send(text);
    const { bufferedBytes } = this.#transport;
    // Only after a false does the transport tell when it is free again; below its own mark the queue is never full.
    if (!isFree && bufferedBytes >= this.#bufferBytes) this.#filled(bufferedBytes);
    return !this.isFull;
  }

  /** Calls once when the peer has caught up; never when the connection ends first. */
  onceWritable(callback: () => void): void {
    if (!this.#isClosed) this.#waiting.push(callback);
  }

  /** Forgets who waits; nothing is sent from now on. The transport is the connection's to close. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #filled(bufferedBytes: number): void {
    const most = 2 * this.#bufferBytes + LIMITS.sessionFrameBytes;
    if (bufferedBytes >= most) this.#slow(`${bufferedBytes} bytes wait for it, ${most} are the limit`);
    else this.#timer ??= setTimeout(() => this.#slow(`it did not catch up within ${this.#slowMs} ms`), this.#slowMs);
  }

  #slow(why: string): void {
    this.close();
    this.#onSlow(
      new ConnectionError(
        "SLOW_CONSUMER",
        `The peer reads too slowly: ${why}. Read faster, or load the session again.`,
      ),
    );
  }

  #drained(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }
}
