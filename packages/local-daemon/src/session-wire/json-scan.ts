const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const UNICODE = 0x75;
const HEX_DIGITS = 4;
/** Longest key of an envelope that is looked at. */
const KEY_BYTES = 16;
/** What may follow a backslash, besides `u`. */
const ESCAPES = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)));

/**
 * Follows one JSON object while its bytes pass: finds where the value of a key of the object itself stands, and checks the texts
 * within, which an outline (`TextCutter`) leaves out. What is outside of texts is checked by whoever parses the outline.
 */
export class JsonScan {
  readonly #keys: ReadonlySet<string>;
  #depth = 0;
  #isInText = false;
  /** Bytes of an escape that are still to come: 0 none, 5 what follows the backslash, else so many hexadecimal digits. */
  #escape = 0;
  #isValid = true;
  /** Bytes so far. */
  #at = 0;
  /** The last text, while it may be a key of the object itself. */
  #key = "";
  #isValueNext = false;
  #from: number | undefined;
  #to: number | undefined;

  /** @param keys of which the last value is looked for */
  constructor(keys: readonly string[]) {
    this.#keys = new Set(keys);
  }

  /** Whether the texts so far are as JSON wants them. */
  get isValid(): boolean {
    return this.#isValid;
  }

  /** Where the value begins and ends, in bytes of the whole; undefined until that is known. */
  get range(): { readonly from: number; readonly to: number | undefined } | undefined {
    return this.#from === undefined ? undefined : { from: this.#from, to: this.#to };
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; ) {
      index = this.#isInText ? this.#text(bytes, index) : this.#structure(bytes, index);
    }
    this.#at += bytes.length;
  }

  /** Up to the end of the text. Returns where reading continues. */
  #text(bytes: Uint8Array, from: number): number {
    let index = from;
    while (index < bytes.length && this.#escape > 0) this.#escaped(bytes[index++] ?? 0);
    let byte = bytes[index] ?? QUOTE;
    while (index < bytes.length && byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH)
      byte = bytes[++index] ?? QUOTE;
    if (this.#depth === 1 && this.#key.length < KEY_BYTES) {
      for (const letter of bytes.subarray(from, Math.min(index, from + KEY_BYTES)))
        this.#key += String.fromCharCode(letter);
    }
    if (index >= bytes.length) return index;
    if (byte === QUOTE) this.#isInText = false;
    else if (byte === BACKSLASH) this.#escape = HEX_DIGITS + 1;
    else this.#isValid = false;
    return index + 1;
  }

  #escaped(byte: number): void {
    if (this.#escape > HEX_DIGITS) {
      this.#escape = byte === UNICODE ? HEX_DIGITS : 0;
      if (byte !== UNICODE && !ESCAPES.has(byte)) this.#isValid = false;
      return;
    }
    this.#escape--;
    const isDigit = (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
    if (!isDigit) this.#isValid = false;
  }

  /** One byte between texts. */
  #structure(bytes: Uint8Array, index: number): number {
    const byte = bytes[index] ?? 0;
    if (this.#isValueNext && byte > SPACE) {
      this.#isValueNext = false;
      [this.#from, this.#to] = [this.#at + index, undefined];
    }
    switch (byte) {
      case QUOTE:
        this.#isInText = true;
        this.#key = "";
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        this.#depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (this.#depth === 1) this.#valueEnds(index);
        this.#depth--;
        break;
      case COMMA:
        if (this.#depth === 1) this.#valueEnds(index);
        break;
      case COLON:
        if (this.#depth === 1) this.#isValueNext = this.#keys.has(this.#key);
        break;
    }
    return index + 1;
  }

  #valueEnds(index: number): void {
    if (this.#from !== undefined) this.#to ??= this.#at + index;
  }
}
