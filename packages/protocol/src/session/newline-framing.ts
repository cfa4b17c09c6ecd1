import { ProtocolError } from "../errors.js";

/** Options of {@link LineSplitter}. */
export interface LineSplitterOptions {
  /** Longest accepted line, in bytes without its newline; see `LIMITS.agentLineBytes`. */
  readonly maxLineBytes: number;
  /** Called with each line, in order, without its newline; never with an empty one. Must not throw. */
  readonly onLine: (text: string) => void;
  /** Called once for each line that was dropped: too long (MESSAGE_TOO_LARGE), or no UTF-8 (PROTOCOL_VIOLATION). */
  readonly onError: (error: ProtocolError) => void;
}

const NEWLINE = 0x0a;
/** A buffer up to this size is kept for the next line that spans chunks. A larger one is released after its line. */
const KEPT_BYTES = 4096;

/**
 * Cuts a byte stream into lines of text, as agents write them on stdio.
 *
 * Chunks may end anywhere, also in the middle of a character. Time is linear in the bytes; memory is bounded by one line
 * plus one chunk. An invalid line is reported and skipped; the next one is read as usual. Chunks are not kept.
 */
export class LineSplitter {
  readonly #options: LineSplitterOptions;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The line begun by earlier chunks: the first `#heldBytes` bytes. Grows by doubling, so each byte is copied O(1) times. */
  #held = new Uint8Array(0);
  #heldBytes = 0;
  /** True while the rest of a too long line is skipped. */
  #isSkipping: boolean = false;

  constructor(options: LineSplitterOptions) {
    this.#options = options;
  }

  /** Reads the next bytes, and calls `onLine` for each completed line. The chunk may be reused afterwards. */
  push(chunk: Uint8Array): void {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last === -1) {
      this.#hold(chunk);
      return;
    }
    const first = chunk.indexOf(NEWLINE);
    const complete = this.#finish(chunk.subarray(0, first));
    const rest = chunk.subarray(last + 1);
    if (complete !== undefined) this.#emit(complete);
    if (last > first) this.#emitLines(chunk.subarray(first + 1, last));
    this.#hold(rest);
  }

  /** The stream ended: a last line without a newline counts as a line. */
  end(): void {
    const last = this.#finish(new Uint8Array(0));
    if (last !== undefined) this.#emit(last);
  }

  /** Several whole lines, decoded in one call when none of them can be too long. */
  #emitLines(bytes: Uint8Array): void {
    const text = bytes.length <= this.#options.maxLineBytes ? this.#decode(bytes) : undefined;
    if (text === undefined) {
      this.#emitOneByOne(bytes);
      return;
    }
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      this.#deliver(text.slice(start, end));
      start = end + 1;
    }
    this.#deliver(text.slice(start));
  }

  #emitOneByOne(bytes: Uint8Array): void {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      this.#emit(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#emit(bytes.subarray(start));
  }

  #emit(line: Uint8Array): void {
    if (line.length > this.#options.maxLineBytes) {
      this.#reportTooLong();
      return;
    }
    const text = this.#decode(line);
    if (text !== undefined) {
      this.#deliver(text);
      return;
    }
    this.#options.onError(
      new ProtocolError("PROTOCOL_VIOLATION", `A line of ${line.length} bytes is not UTF-8; it was skipped.`),
    );
  }

  #deliver(text: string): void {
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (line !== "") this.#options.onLine(line);
  }

  #decode(bytes: Uint8Array): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }

  /** The held line with its last part; undefined when that line is being skipped. */
  #finish(part: Uint8Array): Uint8Array | undefined {
    if (this.#isSkipping) {
      this.#isSkipping = false;
      return undefined;
    }
    if (this.#heldBytes === 0) return part;
    this.#hold(part);
    const line = this.#held.subarray(0, this.#heldBytes);
    const wasCut = this.#isSkipping;
    this.#isSkipping = false;
    this.#heldBytes = 0;
    // After a long line, such as a whole conversation, its memory is released and not held until the stream ends.
    if (this.#held.length > KEPT_BYTES) this.#held = new Uint8Array(0);
    return wasCut ? undefined : line;
  }

  #hold(part: Uint8Array): void {
    if (this.#isSkipping || part.length === 0) return;
    const needed = this.#heldBytes + part.length;
    if (needed > this.#options.maxLineBytes) {
      this.#isSkipping = true;
      this.#heldBytes = 0;
      this.#held = new Uint8Array(0);
      this.#reportTooLong();
      return;
    }
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.min(this.#options.maxLineBytes, Math.max(needed, this.#held.length * 2)));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(part, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #reportTooLong(): void {
    this.#options.onError(
      new ProtocolError(
        "MESSAGE_TOO_LARGE",
        `A line is longer than ${this.#options.maxLineBytes} bytes; it was skipped. Send less, or raise the limit.`,
      ),
    );
  }
}
