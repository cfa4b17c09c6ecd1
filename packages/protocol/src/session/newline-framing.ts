import { ProtocolError } from "../errors.js";
import { LIMITS } from "../limits/index.js";
import { HeldLine } from "./held-line.js";
import { type CutMessage, TextCutter } from "./text-cutter.js";

/** A line that was too long, and whose texts were cut until it was not. */
export interface CutLine {
  /** Bytes of the line as it came. */
  readonly lineBytes: number;
  /** Bytes of texts that are missing. */
  readonly missingBytes: number;
}

/** Options of {@link LineSplitter}. */
export interface LineSplitterOptions {
  /** Longest accepted line, in bytes without its newline; see `LIMITS.agentLineBytes`. */
  readonly maxLineBytes: number;
  /** A line that is too long is taken all the same where its texts, each cut to so many bytes, make it short enough. Default: not. */
  readonly cutTextBytes?: number;
  /**
   * A lower bound for one line, by its beginning; asked once for each line of more than `LIMITS.largeMessageBytes` that comes in
   * several chunks. Default: `maxLineBytes` for all.
   */
  readonly maxBytesOf?: (head: string) => number | undefined;
  /** Called with each line, in order, without its newline; never with an empty one. Must not throw. */
  readonly onLine: (text: string, cut?: CutLine) => void;
  /**
   * Called once for each line that was dropped: too long (MESSAGE_TOO_LARGE), or no UTF-8 (PROTOCOL_VIOLATION). `head` is its
   * beginning, up to 4 KiB.
   */
  readonly onError: (error: ProtocolError, head: string) => void;
}

const NEWLINE = 0x0a;
/** Bytes that are reported of a dropped line: enough to contain the id and the method of a message. */
const HEAD_BYTES = 4096;

/**
 * Cuts a byte stream into lines of text, as agents write them on stdio.
 *
 * Chunks may end anywhere, also in the middle of a character. Time is linear in the bytes; memory is bounded by one line
 * plus one chunk. An invalid line is reported and skipped; the next one is read as usual. Chunks are not kept.
 */
export class LineSplitter {
  readonly #options: LineSplitterOptions;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The line begun by earlier chunks. */
  readonly #held = new HeldLine();
  /** Of the line that is held, once that is large. */
  #lowerBound: number | undefined;
  /** A line that is too long, while the rest of it passes by. */
  #longLine: LongLine | undefined;

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
      this.#beginLongLine([], line);
      this.#endLongLine();
      return;
    }
    const text = this.#decode(line);
    if (text !== undefined) {
      this.#deliver(text);
      return;
    }
    const message = `A line of ${line.length} bytes is not UTF-8; it was skipped.`;
    this.#options.onError(new ProtocolError("PROTOCOL_VIOLATION", message), headOf(line));
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

  /** The held line with its last part; undefined when that line was too long, and is handled. */
  #finish(part: Uint8Array): Uint8Array | undefined {
    if (this.#longLine === undefined) {
      if (this.#held.bytes === 0) return part;
      this.#hold(part);
    } else {
      this.#longLine.push(part);
    }
    if (this.#longLine === undefined) return this.#held.take();
    this.#endLongLine();
    return undefined;
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    if (this.#longLine !== undefined) {
      this.#longLine.push(part);
      return;
    }
    const needed = this.#held.bytes + part.length;
    if (needed <= this.#maxBytes(needed)) {
      this.#held.push(part);
      return;
    }
    this.#beginLongLine(this.#held.takeParts(), part);
  }

  /** The bound of the line that is held, of which there are so many bytes now. */
  #maxBytes(needed: number): number {
    const { maxLineBytes, maxBytesOf } = this.#options;
    if (maxBytesOf === undefined || needed <= LIMITS.largeMessageBytes) return maxLineBytes;
    const isFirst = this.#held.bytes <= LIMITS.largeMessageBytes;
    if (isFirst) this.#lowerBound = maxBytesOf(headOf(this.#held.head(HEAD_BYTES)));
    return this.#lowerBound ?? maxLineBytes;
  }

  #beginLongLine(held: readonly Uint8Array[], part: Uint8Array): void {
    this.#longLine = new LongLine(this.#options, held);
    this.#longLine.push(part);
  }

  #endLongLine(): void {
    const line = this.#longLine;
    this.#longLine = undefined;
    if (line === undefined) return;
    const cut = line.cut();
    const text = cut === undefined ? undefined : this.#decode(cut.bytes);
    if (cut !== undefined && text !== undefined) {
      this.#options.onLine(text, { lineBytes: line.bytes, missingBytes: cut.missingBytes });
      return;
    }
    const message = `A line of ${line.bytes} bytes was skipped: at most ${this.#options.maxLineBytes} are taken.`;
    this.#options.onError(new ProtocolError("MESSAGE_TOO_LARGE", message), line.head);
  }
}

/** Bytes of a long line that are cut with each part of it, beside as many as the part has: some 0.3 ms. */
const CUT_AT_ONCE_BYTES = 128 * 1024;

/** A line over the bound, of which only its beginning and what its texts are cut to is held. */
class LongLine {
  /** Bytes so far. */
  bytes = 0;
  readonly #cutter: TextCutter | undefined;
  #head = new Uint8Array(0);
  /** What the cutter has not got yet, in order. */
  #uncut: Uint8Array[] = [];

  /** @param held the beginning of the line; it is kept */
  constructor({ maxLineBytes, cutTextBytes }: LineSplitterOptions, held: readonly Uint8Array[]) {
    for (const part of held) this.#append(part);
    if (cutTextBytes === undefined) this.#uncut = [];
    else this.#cutter = new TextCutter({ maxBytes: maxLineBytes, textBytes: cutTextBytes });
  }

  get head(): string {
    return headOf(this.#head);
  }

  push(part: Uint8Array): void {
    this.#append(part);
    if (this.#cutter === undefined) this.#uncut = [];
    else this.#cutSome(part.length > CUT_AT_ONCE_BYTES ? CUT_AT_ONCE_BYTES : part.length + CUT_AT_ONCE_BYTES);
  }

  #append(part: Uint8Array): void {
    if (part.length === 0) return;
    if (this.#head.length < HEAD_BYTES) {
      const head = new Uint8Array(Math.min(HEAD_BYTES, this.#head.length + part.length));
      head.set(this.#head);
      head.set(part.subarray(0, head.length - this.#head.length), this.#head.length);
      this.#head = head;
    }
    this.bytes += part.length;
    this.#uncut.push(part);
  }

  cut(): CutMessage | undefined {
    this.#cutSome(Number.POSITIVE_INFINITY);
    return this.#cutter?.end();
  }

  /** A line is long once its first part is as large as the bound: cutting that at once would take some 50 ms. */
  #cutSome(maxBytes: number): void {
    let left = maxBytes;
    while (left > 0) {
      const part = this.#uncut[0];
      if (part === undefined) return;
      this.#cutter?.push(part.subarray(0, left));
      if (part.length > left) this.#uncut[0] = part.subarray(left);
      else this.#uncut.shift();
      left -= part.length;
    }
  }
}

function headOf(line: Uint8Array): string {
  return new TextDecoder().decode(line.subarray(0, HEAD_BYTES));
}
