import { isUtf8 } from "node:buffer";

/** A message above a size, taken in parts while it arrives. The parts may be kept. */
export interface LargeMessage {
  /** Takes the next bytes of the message, in UTF-8. */
  push(part: Uint8Array): void;
  /** The message is complete. */
  end(): void;
}

/** Options of {@link LargeMessageTap}. */
export interface LargeMessageTapOptions {
  /** Messages longer than so many bytes are taken in parts. */
  readonly fromBytes: number;
  /** Longest message. */
  readonly maxBytes: number;
  /** Most fragments of a message. */
  readonly maxFragments: number;
  /** Passes bytes on to the WebSocket library. */
  forward(bytes: Uint8Array): void;
  /** Begins a message that is longer than `fromBytes`. */
  begin(): LargeMessage;
  /** A whole message that came in fragments, and is not longer than `fromBytes`. */
  onText(text: string): void;
}

/** What the library is given in place of a message that is not valid: it closes the link as it does by itself. */
const FAULTS = {
  /** A continuation of nothing: 1002. */
  order: [Uint8Array.of(0x80, 0x80, 0, 0, 0, 0)],
  /** A text that is no UTF-8: 1007. */
  utf8: [Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0xff)],
} as const;

const OPCODE = { continuation: 0, text: 1, binary: 2, firstControl: 8 } as const;
/** Longest header of a frame. */
const HEADER_BYTES = 14;
/** Longest beginning of a character that the next part completes. */
const CHARACTER_BYTES = 4;

interface FrameHead {
  readonly isFinal: boolean;
  readonly opcode: number;
  /** Bytes of the header. */
  readonly bytes: number;
  readonly payloadBytes: number;
  /** Undefined: not a frame that a client may send; the library states why. */
  readonly mask: Uint8Array | undefined;
}

/**
 * Takes large messages and those in fragments out of the bytes that a server's WebSocket receives, and passes everything else on.
 *
 * The library collects a message, joins it, unmasks it and checks it at once: a message of 16 MiB takes three times its memory
 * and holds the event loop for tens of ms. Here each part is unmasked and checked as it arrives.
 */
export class LargeMessageTap {
  readonly #options: LargeMessageTapOptions;
  /** The beginning of a header whose rest has not arrived. */
  #held: Uint8Array = new Uint8Array(0);
  /** Payload of the present frame that is still to come. */
  #payloadLeft = 0;
  /** Of the present frame, where it is taken; undefined where it is passed on. */
  #mask: Uint8Array | undefined;
  #maskAt = 0;
  #isFinal = false;
  /** The message that is being taken. */
  #taken: TakenMessage | undefined;
  /** A fault was found: the library has what closes the link. */
  #isBroken = false;

  constructor(options: LargeMessageTapOptions) {
    this.#options = options;
  }

  /** Takes the next bytes of the socket; they are overwritten. */
  push(chunk: Uint8Array): void {
    let at = 0;
    // What is passed on from here on has not been passed on yet: whole chunks of small messages are passed on as they are.
    let from = 0;
    const bytes = this.#held.length === 0 ? chunk : joined(this.#held, chunk);
    this.#held = new Uint8Array(0);
    while (at < bytes.length && !this.#isBroken) {
      if (this.#payloadLeft > 0) {
        const end = Math.min(bytes.length, at + this.#payloadLeft);
        this.#payloadLeft -= end - at;
        if (this.#mask !== undefined) {
          this.#take(bytes.subarray(at, end), this.#mask);
          from = end;
        }
        at = end;
        continue;
      }
      const head = headOf(bytes, at);
      if (head === undefined) {
        this.#pass(bytes, from, at);
        this.#held = bytes.slice(at);
        return;
      }
      const isTaken = this.#isTaken(head);
      if (isTaken) this.#pass(bytes, from, at);
      at += head.bytes;
      if (isTaken) {
        from = at;
        this.#begin(head);
      } else this.#payloadLeft = head.payloadBytes;
    }
    if (!this.#isBroken) this.#pass(bytes, from, at);
  }

  #pass(bytes: Uint8Array, from: number, to: number): void {
    if (to > from) this.#options.forward(bytes.subarray(from, to));
  }

  #isTaken({ opcode, isFinal, payloadBytes, mask }: FrameHead): boolean {
    // The library refuses these.
    if (mask === undefined || opcode >= OPCODE.firstControl) return false;
    if (this.#taken !== undefined) return true;
    const isFirst = opcode === OPCODE.text || opcode === OPCODE.binary;
    return isFirst && (!isFinal || payloadBytes > this.#options.fromBytes);
  }

  #begin({ opcode, isFinal, payloadBytes, mask }: FrameHead): void {
    if (this.#taken !== undefined && opcode !== OPCODE.continuation) {
      this.#break(FAULTS.order);
      return;
    }
    this.#taken ??= new TakenMessage(this.#options);
    const { fragments, bytes } = this.#taken.announce(payloadBytes);
    if (fragments > this.#options.maxFragments) this.#break(emptyFragments(fragments));
    else if (bytes > this.#options.maxBytes) this.#break([tooLong(bytes)]);
    else {
      this.#mask = mask;
      this.#maskAt = 0;
      this.#isFinal = isFinal;
      this.#payloadLeft = payloadBytes;
      if (payloadBytes === 0) this.#frameDone();
    }
  }

  #take(part: Uint8Array, mask: Uint8Array): void {
    this.#maskAt = unmask(part, mask, this.#maskAt);
    if (this.#taken?.push(part) === false) this.#break(FAULTS.utf8);
    else if (this.#payloadLeft === 0) this.#frameDone();
  }

  #frameDone(): void {
    this.#mask = undefined;
    if (!this.#isFinal) return;
    const taken = this.#taken;
    this.#taken = undefined;
    if (taken?.end() === false) this.#break(FAULTS.utf8);
  }

  /** The link ends: what is taken is dropped, and the library closes. */
  #break(instead: readonly Uint8Array[]): void {
    this.#isBroken = true;
    this.#taken = undefined;
    for (const bytes of instead) this.#options.forward(bytes);
  }
}

/** One message, which is large or came in fragments. */
class TakenMessage {
  readonly #options: LargeMessageTapOptions;
  #fragments = 0;
  #bytes = 0;
  #message: LargeMessage | undefined;
  /** Its parts, until they are so many that the message is large. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** The beginning of a character, which the next part completes. */
  #cut: Uint8Array = new Uint8Array(0);

  constructor(options: LargeMessageTapOptions) {
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
    const text = this.#cut.length === 0 ? part : joined(this.#cut, part);
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

/** The header at a place; undefined when it is not complete. */
function headOf(bytes: Uint8Array, at: number): FrameHead | undefined {
  const left = bytes.length - at;
  if (left < 2) return undefined;
  const [first = 0, second = 0] = bytes.subarray(at, at + 2);
  const short = second & 0x7f;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const isMasked = (second & 0x80) !== 0;
  const headBytes = 2 + lengthBytes + (isMasked ? 4 : 0);
  if (left < headBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, headBytes);
  const payloadBytes = lengthBytes === 8 ? Number(view.getBigUint64(2)) : lengthBytes === 2 ? view.getUint16(2) : short;
  const isPlain = isMasked && (first & 0x70) === 0;
  return {
    isFinal: (first & 0x80) !== 0,
    opcode: first & 0x0f,
    bytes: headBytes,
    payloadBytes,
    mask: isPlain ? bytes.slice(at + headBytes - 4, at + headBytes) : undefined,
  };
}

/** Unmasks bytes in place. Returns at which byte of the mask the next ones continue. */
function unmask(part: Uint8Array, mask: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((byte) => mask[(at + byte) & 3]);
  let index = 0;
  for (const end = part.length - 3; index < end; index += 4) {
    part[index] = (part[index] as number) ^ a;
    part[index + 1] = (part[index + 1] as number) ^ b;
    part[index + 2] = (part[index + 2] as number) ^ c;
    part[index + 3] = (part[index + 3] as number) ^ d;
  }
  for (; index < part.length; index++) part[index] = (part[index] as number) ^ (mask[(at + index) & 3] ?? 0);
  return (at + part.length) & 3;
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

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}

/** The header of a message of so many bytes. */
function tooLong(bytes: number): Uint8Array {
  const head = new Uint8Array(HEADER_BYTES);
  head.set([0x81, 0xff]);
  new DataView(head.buffer).setBigUint64(2, BigInt(bytes));
  return head;
}

/** A message of so many fragments without content. */
function emptyFragments(count: number): Uint8Array[] {
  const following = Uint8Array.of(0x00, 0x80, 0, 0, 0, 0);
  return [Uint8Array.of(0x01, 0x80, 0, 0, 0, 0), ...Array.from({ length: count }, () => following)];
}
