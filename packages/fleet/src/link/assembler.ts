import { LENGTH_BYTES } from "./outbound.js";

const decoder = new TextDecoder();
const EMPTY = new Uint8Array(0);

/** Makes whole messages of the bytes of frames. What is kept is copied: a piece would hold the whole NATS message that it is a part of. */
export class Assembler {
  readonly #maxMessageBytes: number;
  #head = new Uint8Array(LENGTH_BYTES);
  #headBytes = 0;
  /** Bytes of the message that begins, once its length is known. */
  #expected = 0;
  /** Holds the first part of that message. It grows with what arrives, because a length is no proof of a message. */
  #buffer = EMPTY;
  #filled = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Passes each message that is complete to `onText`. False: a message is over the limit, and nothing after it is read. */
  feed(body: Uint8Array, onText: (text: string) => void): boolean {
    for (let at = 0; at < body.length || this.#isComplete; ) {
      if (this.#headBytes < LENGTH_BYTES) {
        at = this.#readHead(body, at);
        if (this.#headBytes === LENGTH_BYTES && this.#expected > this.#maxMessageBytes) return false;
        continue;
      }
      const end = Math.min(body.length, at + this.#expected - this.#filled);
      const piece = body.subarray(at, end);
      at = end;
      if (this.#filled + piece.length === this.#expected) onText(this.#finish(piece));
      else this.#keep(piece);
    }
    return true;
  }

  /** Whether the length of an empty message was the last that was read. */
  get #isComplete(): boolean {
    return this.#headBytes === LENGTH_BYTES && this.#expected === this.#filled;
  }

  #readHead(body: Uint8Array, from: number): number {
    const end = Math.min(body.length, from + LENGTH_BYTES - this.#headBytes);
    this.#head.set(body.subarray(from, end), this.#headBytes);
    this.#headBytes += end - from;
    if (this.#headBytes === LENGTH_BYTES) this.#expected = new DataView(this.#head.buffer).getUint32(0);
    return end;
  }

  #keep(piece: Uint8Array): void {
    const needed = this.#filled + piece.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(this.#expected, Math.max(needed, 2 * this.#buffer.length)));
      grown.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.#filled);
    this.#filled = needed;
  }

  #finish(last: Uint8Array): string {
    let whole = last;
    if (this.#filled > 0) {
      this.#keep(last);
      whole = this.#buffer.subarray(0, this.#expected);
    }
    this.#buffer = EMPTY;
    this.#filled = 0;
    this.#headBytes = 0;
    this.#expected = 0;
    return decoder.decode(whole);
  }
}
