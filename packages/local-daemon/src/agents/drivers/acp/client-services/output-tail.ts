import type { Readable } from "node:stream";
import { AGENT_LIMITS } from "../../../../limits/index.js";

/** A buffer costs some 800 bytes beside its content, so a command that writes single bytes would cost many times what is kept. */
const MERGED_BYTES = 4 * 1024;

/**
 * The last bytes that a command has written. Reads for ever, because a full pipe would stop the command, and not faster than
 * `AGENT_LIMITS.terminalReadBytes` in `terminalPauseMs`, because one that writes without end must not take the event loop.
 */
export class OutputTail {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #unpausedBytes = 0;
  #isCut = false;

  constructor(stream: Readable, maxBytes: number) {
    this.#maxBytes = maxBytes;
    stream.on("data", (chunk: Buffer) => {
      this.#push(chunk);
      this.#unpausedBytes += chunk.length;
      if (this.#unpausedBytes < AGENT_LIMITS.terminalReadBytes) return;
      this.#unpausedBytes = 0;
      stream.pause();
      setTimeout(() => stream.resume(), AGENT_LIMITS.terminalPauseMs);
    });
    stream.on("error", () => {});
  }

  /** Whether the beginning is lost. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** The bytes as text, from the beginning of a character on. */
  toString(): string {
    const bytes = Buffer.concat(this.#chunks);
    let from = 0;
    // A byte 10xxxxxx continues a character.
    while (this.#isCut && from < 3 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
    return bytes.toString("utf8", from);
  }

  #push(chunk: Buffer): void {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.length < MERGED_BYTES) {
      this.#chunks[this.#chunks.length - 1] = Buffer.concat([last, chunk]);
    } else this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes > this.#maxBytes) {
      const first = this.#chunks[0] as Buffer;
      const surplus = Math.min(this.#bytes - this.#maxBytes, first.length);
      this.#isCut = true;
      this.#bytes -= surplus;
      if (surplus === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(surplus);
    }
  }
}
