import { LIMITS, type TransportClose } from "@daemon-sdk/protocol";
import { FRAME_HEADER_BYTES, FrameWriter } from "@daemon-sdk/protocol/relay";
import type { ByteStream } from "./byte-stream.js";
import type { Link } from "./link.js";

/**
 * Encodes for all links, one at a time, so that an idle one holds no buffer. Who sends has checked that a frame is not
 * too large for its receiver.
 */
const WRITER = new FrameWriter({ maxFrameBytes: Number.POSITIVE_INFINITY });

/** A byte stream as a link of a connection: texts go out as frames, chunks of bytes come in as they arrive. */
export class FrameLink implements Link<Uint8Array> {
  onMessage: ((chunk: Uint8Array) => void) | undefined;
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  readonly #stream: ByteStream;
  readonly #highWaterBytes: number;
  #texts: string[] = [];
  /** Lower bound of the bytes of `#texts`. */
  #pendingBytes = 0;
  #flyingBytes = 0;
  #isBlocked = false;
  #isClosed = false;

  /** @param highWaterBytes waiting above which `send` returns false; default `LIMITS.transportHighWaterBytes` */
  constructor(stream: ByteStream, highWaterBytes: number = LIMITS.transportHighWaterBytes) {
    this.#stream = stream;
    this.#highWaterBytes = highWaterBytes;
    stream.start({ onChunk: (chunk) => this.onMessage?.(chunk), onEnded: (event) => this.#ended(event) });
  }

  get bufferedBytes(): number {
    return this.#pendingBytes + this.#flyingBytes;
  }

  send(text: string): boolean {
    if (this.#isClosed) return false;
    // Tick end, not microtask: whole promise chains then share one write.
    if (this.#texts.length === 0) process.nextTick(() => this.#flush());
    this.#texts.push(text);
    this.#pendingBytes += FRAME_HEADER_BYTES + text.length;
    if (this.#pendingBytes >= LIMITS.relaySlabBytes) this.#flush();
    if (this.bufferedBytes < this.#highWaterBytes) return true;
    this.#isBlocked = true;
    return false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    this.#stream.end();
  }

  terminate(): void {
    this.#isClosed = true;
    this.#stream.destroy();
  }

  #flush(): void {
    if (this.#texts.length === 0) return;
    const texts = this.#texts;
    this.#texts = [];
    this.#pendingBytes = 0;
    for (const text of texts) WRITER.writeText(text);
    const chunk = WRITER.take();
    this.#flyingBytes += chunk.length;
    this.#stream.write(chunk, () => this.#flushed(chunk));
  }

  #flushed(chunk: Uint8Array): void {
    WRITER.release(chunk);
    this.#flyingBytes -= chunk.length;
    if (!this.#isBlocked || this.#isClosed || this.bufferedBytes >= this.#highWaterBytes) return;
    this.#isBlocked = false;
    this.onWritable?.();
  }

  #ended(event: TransportClose): void {
    this.#isClosed = true;
    this.#texts = [];
    this.onClose?.(event);
  }
}
