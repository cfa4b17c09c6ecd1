import type { Readable } from "node:stream";
import { redacted } from "../redaction.js";

/**
 * The last bytes a process wrote to stderr, for the error that states why it died.
 *
 * Reads for ever (a full pipe would stop the process) and keeps at most `maxBytes`, whatever is written. The text goes into logs
 * and to clients, so its secrets are replaced where it is read.
 */
export class StderrTail {
  readonly #maxBytes: number;
  readonly #secrets: readonly string[];
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #cut = false;

  /** @param secrets values that the process knows and that are never shown */
  constructor(stream: Readable, maxBytes: number, secrets: readonly string[] = []) {
    this.#maxBytes = maxBytes;
    this.#secrets = secrets;
    stream.on("data", (chunk: Uint8Array) => this.#push(chunk));
    // A broken stderr costs the explanation, nothing else.
    stream.on("error", () => {});
  }

  /** What was kept, from the start of a line on when the start was lost; secrets are replaced by `[redacted]`. */
  toString(): string {
    const text = new TextDecoder().decode(Buffer.concat(this.#chunks));
    return redacted(this.#cut ? fromWholeLine(text) : text, this.#secrets).trimEnd();
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

/** Of a single long line the first word is dropped: the cut may have left half a secret there. */
function fromWholeLine(text: string): string {
  const line = text.indexOf("\n");
  return text.slice((line === -1 ? text.search(/\s/) : line) + 1);
}
