import { LENGTH_BYTES } from "./outbound.js";

const decoder = new TextDecoder();

/** Makes whole messages of the bytes of frames. */
export class Assembler {
  readonly #maxMessageBytes: number;
  #head = new Uint8Array(LENGTH_BYTES);
  #headBytes = 0;
  /** Bytes of the message that begins, once its length is known. */
  #expected = 0;
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;

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
      const end = Math.min(body.length, at + this.#expected - this.#pieceBytes);
      this.#pieces.push(body.subarray(at, end));
      this.#pieceBytes += end - at;
      at = end;
      if (this.#pieceBytes === this.#expected) onText(this.#finish());
    }
    return true;
  }

  /** Whether the length of an empty message was the last that was read. */
  get #isComplete(): boolean {
    return this.#headBytes === LENGTH_BYTES && this.#expected === this.#pieceBytes;
  }

  #readHead(body: Uint8Array, from: number): number {
    const end = Math.min(body.length, from + LENGTH_BYTES - this.#headBytes);
    this.#head.set(body.subarray(from, end), this.#headBytes);
    this.#headBytes += end - from;
    if (this.#headBytes === LENGTH_BYTES) this.#expected = new DataView(this.#head.buffer).getUint32(0);
    return end;
  }

  #finish(): string {
    const pieces = this.#pieces;
    const size = this.#pieceBytes;
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#headBytes = 0;
    this.#expected = 0;
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined) return decoder.decode(only);
    const whole = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return decoder.decode(whole);
  }
}
