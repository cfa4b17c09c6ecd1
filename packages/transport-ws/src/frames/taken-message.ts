import { isUtf8 } from "node:buffer";

/** A message above a size, taken in parts while it arrives. The parts may be kept. */
export interface LargeMessage {
  /** Takes the next bytes of the message, in UTF-8. */
  push(part: Uint8Array): void;
  /** The message is complete. */
  end(): void;
}

/** Options of {@link TakenMessage}. */
export interface TakenMessageOptions {
  /** Messages longer than so many bytes are taken in parts. */
  readonly fromBytes: number;
  /** Begins a message that is longer than `fromBytes`. */
  begin(): LargeMessage;
  /** A whole message that is not longer than `fromBytes`. */
  onText(text: string): void;
}

/** Longest beginning of a character that the next part completes. */
const CHARACTER_BYTES = 4;

/** One message that arrives in parts: its frames, or what the socket has of one. */
export class TakenMessage {
  readonly #options: TakenMessageOptions;
  #fragments = 0;
  #bytes = 0;
  #message: LargeMessage | undefined;
  /** Its parts, until they are so many that the message is large. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** The beginning of a character, which the next part completes. */
  #cut: Uint8Array = new Uint8Array(0);

  constructor(options: TakenMessageOptions) {
    this.#options = options;
  }

  /** A fragment of so many bytes comes. Returns what there is of the message with it. */
  announce(bytes: number): { readonly fragments: number; readonly bytes: number } {
    this.#fragments++;
    this.#bytes += bytes;
    return { fragments: this.#fragments, bytes: this.#bytes };
  }

  /** Takes bytes of the message. False when they are no UTF-8. */
  push(part: Uint8Array): boolean {
    const text = this.#cut.length === 0 ? part : Buffer.concat([this.#cut, part]);
    const whole = text.length - cutBytes(text);
    this.#cut = text.slice(whole);
    const checked = text.subarray(0, whole);
    if (!isUtf8(checked)) return false;
    this.#deliver(checked);
    return true;
  }

  /** The message is complete. False when its last character is not. */
  end(): boolean {
    if (this.#cut.length > 0) return false;
    if (this.#message !== undefined) this.#message.end();
    else this.#options.onText(Buffer.concat(this.#parts).toString());
    return true;
  }

  #deliver(part: Uint8Array): void {
    if (part.length === 0) return;
    if (this.#message === undefined) {
      this.#parts.push(part);
      this.#partBytes += part.length;
      if (this.#partBytes <= this.#options.fromBytes) return;
      this.#message = this.#options.begin();
      for (const early of this.#parts.splice(0)) this.#message.push(early);
    } else this.#message.push(part);
  }
}

/** Bytes of a character at the end that is not complete. */
function cutBytes(text: Uint8Array): number {
  for (let back = 1; back < CHARACTER_BYTES && back <= text.length; back++) {
    const byte = text[text.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}
