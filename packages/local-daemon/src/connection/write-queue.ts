import { ConnectionError, LIMITS, type Transport } from "@daemon-sdk/protocol";
import { DAEMON_LIMITS } from "../limits/index.js";
import type { LoopShare } from "./loop-shares.js";
import type { UnreadRoom } from "./unread-room.js";

/** The part of a link that a queue uses. */
type Outbound = Pick<Transport, "bufferedBytes" | "onWritable" | "send">;

/** Options of {@link WriteQueue}. */
export interface WriteQueueOptions {
  readonly transport: Outbound;
  /** Bytes waiting above which the queue is full, where the transport counts that as much; default `DAEMON_LIMITS.connectionBufferBytes`. */
  readonly bufferBytes?: number;
  /** How long it may stay full; default `DAEMON_LIMITS.slowConsumerMs`. */
  readonly slowMs?: number;
  /** The queue was full for too long, or the peer sends requests without reading the answers. */
  onSlow(error: ConnectionError): void;
  /** The queue has become full, or is not full any more. */
  onFull?(isFull: boolean): void;
}

/**
 * The messages that wait to be written on one connection.
 *
 * The queue takes every message, so that no answer is lost to a full buffer. Cursors stop at {@link isFull} and go on when
 * {@link onceWritable} calls, and so does the reading of the peer's requests. Answers that a peer does not read are bounded by twice
 * the buffer and a frame.
 */
export class WriteQueue {
  readonly #transport: Outbound;
  readonly #bufferBytes: number;
  readonly #slowMs: number;
  readonly #onSlow: (error: ConnectionError) => void;
  readonly #onFull: WriteQueueOptions["onFull"];
  #unread: Pick<UnreadRoom, "noteSent"> | undefined;
  #share: Pick<LoopShare, "noteSent"> | undefined;
  #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isDraining = false;
  #isClosed = false;

  constructor(options: WriteQueueOptions) {
    this.#transport = options.transport;
    this.#bufferBytes = options.bufferBytes ?? DAEMON_LIMITS.connectionBufferBytes;
    this.#slowMs = options.slowMs ?? DAEMON_LIMITS.slowConsumerMs;
    this.#onSlow = options.onSlow;
    this.#onFull = options.onFull;
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

  /** True while as much waits as the transport takes lightly: {@link onceWritable} calls when that has left. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Notes later messages in the share of whom they are sent to, and in the room of what that one has not read. */
  use(share: Pick<LoopShare, "noteSent">, unread?: Pick<UnreadRoom, "noteSent">): void {
    this.#share = share;
    this.#unread = unread;
  }

  /** Takes one message. False when nothing more should be sent for now, or ever. */
  send(text: string): boolean {
    if (this.#isClosed) return false;
    this.#share?.noteSent();
    const isFree = this.#transport.send(text);
    this.#isDraining = !isFree;
    const { bufferedBytes } = this.#transport;
    // The transport calls `onWritable` only after it has returned false, so below its own mark the queue is never full.
    if (!isFree && bufferedBytes >= this.#bufferBytes) this.#filled(bufferedBytes);
    // Last: it may end this connection.
    this.#unread?.noteSent(text.length);
    return !this.isFull;
  }

  /** Calls once when the peer has caught up; never when the connection ends first. */
  onceWritable(callback: () => void): void {
    if (!this.#isClosed) this.#waiting.push(callback);
  }

  /** Drops the waiting callbacks; nothing is sent from now on. The connection closes the transport. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #filled(bufferedBytes: number): void {
    const most = 2 * this.#bufferBytes + LIMITS.sessionFrameBytes;
    if (bufferedBytes >= most) this.#slow(`${bufferedBytes} bytes wait for it, ${most} are the limit`);
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#slow(`it did not catch up within ${this.#slowMs} ms`), this.#slowMs);
      this.#onFull?.(true);
    }
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
    this.#isDraining = false;
    clearTimeout(this.#timer);
    if (this.#timer !== undefined) this.#onFull?.(false);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }
}
