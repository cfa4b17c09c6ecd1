import { CloseCode, LIMITS, type TransportClose } from "@daemon-sdk/protocol";
import { FRAME_HEADER_BYTES, FrameWriter } from "@daemon-sdk/protocol/relay";
import type { ByteLink } from "@daemon-sdk/transport-ws";
import { SERVING_LIMITS } from "../limits/index.js";
import type { Link } from "./link.js";

/**
 * Encodes for all links, one at a time, so that an idle link holds no buffer. The sender has checked that a frame is not too
 * large for its receiver.
 */
const WRITER = new FrameWriter({ maxFrameBytes: Number.POSITIVE_INFINITY });

/** Close code of a link that was cut; never on the wire (RFC 6455 §7.1.5). */
const CUT = 1006;

/** A byte stream as a link of a connection: texts go out as frames, chunks of bytes come in as they arrive. */
export class FrameLink implements Link<Uint8Array> {
  onMessage: ((chunk: Uint8Array) => void) | undefined;
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  readonly #bytes: ByteLink;
  readonly #highWaterBytes: number;
  #texts: string[] = [];
  /** Lower bound of the bytes of `#texts`. */
  #pendingBytes = 0;
  #flyingBytes = 0;
  #isBlocked = false;
  #isClosed = false;

  /** @param highWaterBytes waiting above which `send` returns false; default `LIMITS.transportHighWaterBytes` */
  constructor(bytes: ByteLink, highWaterBytes: number = LIMITS.transportHighWaterBytes) {
    this.#bytes = bytes;
    this.#highWaterBytes = highWaterBytes;
    bytes.start({ onBytes: (chunk) => this.#received(chunk), onEnded: (error) => this.#ended(error) });
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

  setPaused(isPaused: boolean): void {
    this.#bytes.setPaused?.(isPaused);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isClosed = true;
    this.#bytes.end();
  }

  terminate(): void {
    this.#isClosed = true;
    this.#bytes.destroy();
  }

  /** In slices: a slice is what is handled at once, and a large chunk holds hundreds of frames. */
  #received(chunk: Uint8Array): void {
    const { inboundSliceBytes } = SERVING_LIMITS;
    for (let at = 0; at < chunk.length; at += inboundSliceBytes) {
      this.onMessage?.(chunk.subarray(at, at + inboundSliceBytes));
    }
  }

  #flush(): void {
    if (this.#texts.length === 0) return;
    const texts = this.#texts;
    this.#texts = [];
    this.#pendingBytes = 0;
    for (const text of texts) WRITER.writeText(text);
    const chunk = WRITER.take();
    this.#flyingBytes += chunk.length;
    this.#bytes.send(chunk, () => this.#flushed(chunk));
  }

  #flushed(chunk: Uint8Array): void {
    WRITER.release(chunk);
    this.#flyingBytes -= chunk.length;
    if (!this.#isBlocked || this.#isClosed || this.bufferedBytes >= this.#highWaterBytes) return;
    this.#isBlocked = false;
    this.onWritable?.();
  }

  #ended(error: Error | undefined): void {
    this.#isClosed = true;
    this.#texts = [];
    this.onClose?.(
      error === undefined
        ? { clean: true, code: CloseCode.normal, reason: "" }
        : { clean: false, code: CUT, reason: error.message, error },
    );
  }
}
