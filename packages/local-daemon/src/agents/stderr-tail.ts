import type { Readable } from "node:stream";

/**
 * The last bytes a process wrote to stderr, for the error that states why it died.
 *
 * Reads for ever (a full pipe would stop the process) and keeps at most `maxBytes`, whatever is written.
 */
export class StderrTail {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #cut = false;

  constructor(stream: Readable, maxBytes: number) {
    this.#maxBytes = maxBytes;
    stream.on("data", (chunk: Uint8Array) => this.#push(chunk));
    // A broken stderr costs the explanation, nothing else.
    stream.on("error", () => {});
  }

  /** What was kept, from the start of a line on when the start was lost. */
  toString(): string {
    const text = new TextDecoder().decode(Buffer.concat(this.#chunks));
    if (!this.#cut) return text.trimEnd();
    return text.slice(text.indexOf("\n") + 1).trimEnd();
  }

  #push(chunk: Uint8Array): void {
    const tail = chunk.length > this.#maxBytes ? chunk.slice(-this.#maxBytes) : chunk;
    if (tail !== chunk) this.#cut = true;
    this.#chunks.push(tail);
    this.#bytes += tail.length;
    while (this.#bytes > this.#maxBytes) this.#shorten(this.#bytes - this.#maxBytes);
  }

  #shorten(surplus: number): void {
    const first = this.#chunks[0];
    if (first === undefined) return;
    this.#cut = true;
    if (first.length <= surplus) this.#chunks.shift();
    else this.#chunks[0] = first.slice(surplus);
    this.#bytes -= Math.min(first.length, surplus);
  }
}
