/** Options of {@link TextCutter}. */
export interface TextCutterOptions {
  /** Longest message that is kept, in bytes. */
  readonly maxBytes: number;
  /** Bytes that are kept of a longer text. */
  readonly textBytes: number;
  /** Cuts files, signatures and ids as well: for a reader that needs the outline alone. Default: not. */
  readonly cutsAll?: boolean;
  /** What stands in place of so many missing bytes. Default: that the agent has the whole. */
  readonly mark?: (bytes: number) => string;
}

/** A message without the rest of its long texts. */
export interface CutMessage {
  /** JSON, in UTF-8. Valid until the cutter gets its next message. */
  readonly bytes: Uint8Array;
  /** Bytes of texts that are missing; 0 when nothing was cut. */
  readonly missingBytes: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;
/** Longest key that is looked at; a longer one names nothing that is known. */
const KEY_BYTES = 64;
/** Values that mean nothing any more without their end: files in base64, signatures, names. */
const WHOLE_ONLY = /^(?:data|signature|url|type|method|id|.*Id)$/;

/**
 * Shortens one JSON message while its bytes pass: of every text longer than `textBytes` only the beginning stays, with a mark
 * that states how much is missing and where the whole is.
 *
 * A text is cut between two characters, so the result is as valid as the message was. Files, signatures and ids are not cut.
 * Takes any chunking, in time linear in the bytes and memory bounded by `maxBytes`.
 */
export class TextCutter {
  readonly #options: TextCutterOptions;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #out = new Uint8Array(0);
  #outBytes = 0;
  #isOver = false;
  #missingBytes = 0;
  #isInString = false;
  /** Whether the next byte of the text is escaped by the last one. */
  #isEscaped = false;
  /** Where the content of the running or last text begins in the output, and its whole size. */
  #textStart = 0;
  #textBytes = 0;
  /** Nothing but spaces came since the last text ended: a colon makes that text a key. */
  #mayBeKey = false;
  /** The key of the value that comes. */
  #key = "";

  constructor(options: TextCutterOptions) {
    this.#options = options;
  }

  /** Whether what stays is larger than `maxBytes` already; nothing more is kept then. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the next bytes of the message; they may be reused afterwards. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      at = this.#isInString ? this.#pushText(bytes, at) : this.#pushStructure(bytes, at);
    }
  }

  /** The message is complete; the next one may begin. Undefined when it is larger than `maxBytes` all the same. */
  end(): CutMessage | undefined {
    const cut = { bytes: this.#out.subarray(0, this.#outBytes), missingBytes: this.#missingBytes };
    const isOver = this.#isOver;
    this.#outBytes = 0;
    this.#missingBytes = 0;
    this.#isOver = false;
    this.#isInString = false;
    this.#isEscaped = false;
    this.#mayBeKey = false;
    this.#key = "";
    return isOver ? undefined : cut;
  }

  /** Everything up to the next text. Returns where that begins. */
  #pushStructure(bytes: Uint8Array, from: number): number {
    const quote = bytes.indexOf(QUOTE, from);
    const end = quote === -1 ? bytes.length : quote + 1;
    if (this.#mayBeKey) this.#readKey(bytes, from, end);
    this.#keep(bytes.subarray(from, end));
    if (quote === -1) return end;
    this.#isInString = true;
    this.#textStart = this.#outBytes;
    this.#textBytes = 0;
    return end;
  }

  #readKey(bytes: Uint8Array, from: number, end: number): void {
    let at = from;
    while (at < end && (bytes[at] ?? 0) <= SPACE) at++;
    if (at === end) return;
    this.#mayBeKey = false;
    if (bytes[at] !== COLON) return;
    const isName = this.#textBytes <= KEY_BYTES;
    this.#key = isName
      ? this.#decoder.decode(this.#out.subarray(this.#textStart, this.#textStart + this.#textBytes))
      : "";
  }

  /** The text up to its closing quote, or to the end of the bytes. Returns where reading continues. */
  #pushText(bytes: Uint8Array, from: number): number {
    let quote = bytes.indexOf(QUOTE, from);
    while (quote !== -1 && this.#isEscapedAt(bytes, from, quote)) quote = bytes.indexOf(QUOTE, quote + 1);
    const end = quote === -1 ? bytes.length : quote;
    const isEscaped = this.#isEscapedAt(bytes, from, end);
    this.#keepText(bytes.subarray(from, end));
    this.#isEscaped = quote === -1 && isEscaped;
    if (quote === -1) return end;
    this.#closeText();
    this.#keep(bytes.subarray(quote, quote + 1));
    return quote + 1;
  }

  /** Whether the byte at `at` is escaped: an odd number of backslashes precedes it. */
  #isEscapedAt(bytes: Uint8Array, from: number, at: number): boolean {
    let start = at;
    while (start > from && bytes[start - 1] === BACKSLASH) start--;
    const isOdd = (at - start) % 2 === 1;
    return start === from && this.#isEscaped ? !isOdd : isOdd;
  }

  #keepText(part: Uint8Array): void {
    const room = this.#isWhole ? part.length : Math.max(0, this.#options.textBytes - this.#textBytes);
    this.#textBytes += part.length;
    this.#keep(part.subarray(0, room));
  }

  get #isWhole(): boolean {
    return this.#options.cutsAll !== true && WHOLE_ONLY.test(this.#key);
  }

  #closeText(): void {
    this.#isInString = false;
    this.#mayBeKey = true;
    if (this.#textBytes === this.#outBytes - this.#textStart) return;
    this.#outBytes = textEnd(this.#out, this.#textStart, this.#outBytes);
    const missing = this.#textBytes - (this.#outBytes - this.#textStart);
    this.#missingBytes += missing;
    this.#keep(this.#encoder.encode(JSON.stringify((this.#options.mark ?? missingMark)(missing)).slice(1, -1)));
  }

  #keep(part: Uint8Array): void {
    const needed = this.#outBytes + part.length;
    if (needed > this.#options.maxBytes) {
      this.#isOver = true;
      this.#out = new Uint8Array(0);
      this.#outBytes = 0;
      return;
    }
    if (needed > this.#out.length) {
      const grown = new Uint8Array(Math.min(this.#options.maxBytes, Math.max(needed, this.#out.length * 2, 1024)));
      grown.set(this.#out.subarray(0, this.#outBytes));
      this.#out = grown;
    }
    this.#out.set(part, this.#outBytes);
    this.#outBytes = needed;
  }
}

/** What stands in place of the end of a text that was cut. */
export function missingMark(bytes: number): string {
  return `\n[${bytes} bytes are missing here, because the message was too large. The agent has the whole.]`;
}

/** The last place at which a JSON text can be cut: not within a character, nor within an escape, nor between two surrogates. */
function textEnd(bytes: Uint8Array, start: number, end: number): number {
  let cut = end;
  while (cut > start && ((bytes[cut - 1] ?? 0) & 0xc0) === 0x80) cut--;
  if (cut > start && (bytes[cut - 1] ?? 0) >= 0xc0) cut--;
  // A whole character at the end is given up as well where it has more than one byte: the mark follows anyway.
  for (let back = 1; back <= 6 && cut - back >= start; back++) {
    const at = cut - back;
    if (bytes[at] !== BACKSLASH || !isEscape(bytes, start, at)) continue;
    const isUnicode = bytes[at + 1] === 0x75;
    const isWhole = isUnicode ? back === 6 && !isHighSurrogate(bytes, at) : back >= 2;
    // What precedes it may be the first half of the same character.
    return isWhole ? cut : textEnd(bytes, start, at);
  }
  return cut;
}

/** Whether the backslash at `at` begins an escape, and does not end one. */
function isEscape(bytes: Uint8Array, start: number, at: number): boolean {
  let first = at;
  while (first > start && bytes[first - 1] === BACKSLASH) first--;
  return (at - first) % 2 === 0;
}

/** Whether the `\uXXXX` at `at` is the first half of a character. */
function isHighSurrogate(bytes: Uint8Array, at: number): boolean {
  const code = Number.parseInt(String.fromCharCode(...bytes.subarray(at + 2, at + 6)), 16);
  return code >= 0xd800 && code <= 0xdbff;
}
