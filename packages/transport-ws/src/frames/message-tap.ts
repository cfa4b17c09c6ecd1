import { isUtf8 } from "node:buffer";
import {
  type FrameHead,
  HEADER_BYTES,
  headOf,
  LENGTH_IN_2_BYTES,
  LENGTH_IN_8_BYTES,
  MASKED,
  OPCODE,
  SHORT_PAYLOAD_BYTES,
  unmask,
  WHOLE_TEXT,
} from "./frame-head.js";
import { TakenMessage, type TakenMessageOptions } from "./taken-message.js";

/** Options of {@link MessageTap}. */
export interface MessageTapOptions extends TakenMessageOptions {
  /** Whether the peer masks its frames, as a client does. */
  readonly isMasked: boolean;
  /** Longest message. */
  readonly maxBytes: number;
  /** Most fragments of a message. */
  readonly maxFragments: number;
  /** Passes bytes on to the WebSocket library. */
  forward(bytes: Uint8Array): void;
}

/** What fills the place of a character that is no UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * Takes texts, and large messages of any kind, out of the bytes that a WebSocket receives, and passes everything else on: short
 * binary messages, control frames, and what is against the protocol, with all that follows it.
 *
 * The library passes each chunk through a stream of its own, which costs 2 to 3 µs. It collects a large message, joins it, unmasks it
 * and checks it at once: a message of 16 MiB takes three times its memory and holds the event loop for tens of ms. Here a text that
 * arrived whole is read in place, and each part of another is unmasked and checked as it arrives.
 */
export class MessageTap {
  readonly #options: MessageTapOptions;
  /** The beginning of a header whose rest has not arrived. */
  #held: Uint8Array | undefined;
  /** Payload of the present frame that is still to come. */
  #payloadLeft = 0;
  /** Whether the present frame is taken, or passed on. */
  #isTaking = false;
  /** Of the present frame, where it is taken and masked. */
  #mask: Uint8Array | undefined;
  #maskAt = 0;
  #isFinal = false;
  /** The message that is being taken. */
  #taken: TakenMessage | undefined;
  /** The link ends, by the peer or by a fault: everything is passed on from here, or nothing, when the fault was passed on. */
  #end: "forward" | "drop" | undefined;

  constructor(options: MessageTapOptions) {
    this.#options = options;
  }

  /** Takes the next bytes of the socket; they are overwritten. */
  push(chunk: Buffer): void {
    const held = this.#held;
    this.#held = undefined;
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (at < bytes.length && this.#end === undefined) {
      if (this.#payloadLeft > 0) at = this.#payload(bytes, at);
      else {
        if (this.#taken === undefined) at = this.#wholeTexts(bytes, at);
        const next = this.#end === undefined ? this.#frame(bytes, at) : at;
        if (next === undefined) break;
        at = next;
      }
    }
    if (at >= bytes.length || this.#end === "drop") return;
    if (this.#end === "forward") this.#options.forward(bytes.subarray(at));
    else this.#held = Buffer.from(bytes.subarray(at));
  }

  /** Reads texts of one frame that are all there. Returns where it stops: most chunks are such texts and nothing else. */
  #wholeTexts(bytes: Buffer, from: number): number {
    const { isMasked, fromBytes, maxBytes } = this.#options;
    const most = Math.min(fromBytes, maxBytes);
    let at = from;
    while (this.#end === undefined && bytes.length - at > 2 && bytes[at] === WHOLE_TEXT) {
      const second = bytes[at + 1] as number;
      if (second >= MASKED !== isMasked) return at;
      let length = second & ~MASKED;
      let start = at + 2;
      if (length === LENGTH_IN_8_BYTES) return at;
      if (length === LENGTH_IN_2_BYTES) {
        length = ((bytes[start] as number) << 8) | (bytes[start + 1] ?? 0);
        start += 2;
      }
      if (isMasked) start += 4;
      const end = start + length;
      if (end > bytes.length || length > most) return at;
      if (isMasked) unmask(bytes, start, end, bytes, start - 4, 0);
      const text = bytes.toString("utf8", start, end);
      if (text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(start, end))) this.#break("utf8");
      else this.#options.onText(text);
      at = end;
    }
    return at;
  }

  /** Reads the header at that place, and returns where its frame's payload begins; undefined when it is not complete. */
  #frame(bytes: Buffer, at: number): number | undefined {
    const head = headOf(bytes, at);
    if (head === undefined) return undefined;
    const next = at + head.bytes;
    const fate = this.#fateOf(head);
    if (fate === "take") this.#begin(head);
    else if (fate === "pass") {
      this.#options.forward(bytes.subarray(at, next));
      this.#payloadLeft = head.payloadBytes;
    } else {
      this.#end = "forward";
      return at;
    }
    return next;
  }

  /** `end`: nothing of what follows is a message, for the peer closes, or the library will. */
  #fateOf({ opcode, isFinal, payloadBytes, mask, isPlain }: FrameHead): "take" | "pass" | "end" {
    if (!isPlain || (mask !== undefined) !== this.#options.isMasked) return "end";
    switch (opcode) {
      case OPCODE.ping:
      case OPCODE.pong:
        return isFinal && payloadBytes <= SHORT_PAYLOAD_BYTES ? "pass" : "end";
      case OPCODE.text:
        return "take";
      case OPCODE.binary:
        return this.#taken === undefined && isFinal && payloadBytes <= this.#options.fromBytes ? "pass" : "take";
      case OPCODE.continuation:
        return this.#taken === undefined ? "end" : "take";
      default:
        return "end";
    }
  }

  #begin({ opcode, isFinal, payloadBytes, mask }: FrameHead): void {
    if (this.#taken !== undefined && opcode !== OPCODE.continuation) {
      this.#break("order");
      return;
    }
    this.#taken ??= new TakenMessage(this.#options);
    const { fragments, bytes } = this.#taken.announce(payloadBytes);
    if (fragments > this.#options.maxFragments) this.#break("fragments");
    else if (bytes > this.#options.maxBytes) this.#break("size");
    else {
      this.#isTaking = true;
      this.#mask = mask;
      this.#maskAt = 0;
      this.#isFinal = isFinal;
      this.#payloadLeft = payloadBytes;
      if (payloadBytes === 0) this.#frameDone();
    }
  }

  /** Takes what there is of the present frame, or passes it on. Returns where it ends. */
  #payload(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#payloadLeft);
    this.#payloadLeft -= end - at;
    if (this.#isTaking) this.#take(bytes, at, end);
    else this.#options.forward(bytes.subarray(at, end));
    return end;
  }

  #take(bytes: Buffer, at: number, end: number): void {
    if (this.#mask !== undefined) this.#maskAt = unmask(bytes, at, end, this.#mask, 0, this.#maskAt);
    if (this.#taken?.push(bytes.subarray(at, end)) === false) this.#break("utf8");
    else if (this.#payloadLeft === 0) this.#frameDone();
  }

  #frameDone(): void {
    this.#isTaking = false;
    this.#mask = undefined;
    if (!this.#isFinal) return;
    const taken = this.#taken;
    this.#taken = undefined;
    if (taken?.end() === false) this.#break("utf8");
  }

  /** The link ends: what is taken is dropped, and the library gets what makes it close. */
  #break(fault: keyof typeof FAULTS): void {
    const { isMasked, maxBytes, maxFragments } = this.#options;
    this.#end = "drop";
    this.#taken = undefined;
    for (const frame of FAULTS[fault]({ maxBytes, maxFragments })) this.#options.forward(asSent(frame, isMasked));
  }
}

/** What the library is given in place of a message that is not valid: it closes the link as it does by itself. Without a mask. */
const FAULTS = {
  /** A continuation of nothing: 1002. */
  order: () => [Uint8Array.of(0x80, 0)],
  /** A text that is no UTF-8: 1007. */
  utf8: () => [Uint8Array.of(WHOLE_TEXT, 1, 0xff)],
  /** The header of a message that is too long: 1009. */
  size: ({ maxBytes }) => [headOfText(maxBytes + 1)],
  /** Too many fragments, without content: 1008. */
  fragments: ({ maxFragments }) => [
    Uint8Array.of(OPCODE.text, 0),
    ...Array.from({ length: maxFragments }, () => Uint8Array.of(OPCODE.continuation, 0)),
  ],
} as const satisfies Record<string, (limits: { maxBytes: number; maxFragments: number }) => readonly Uint8Array[]>;

/** The header of a text of so many bytes. */
function headOfText(bytes: number): Uint8Array {
  const head = new Uint8Array(HEADER_BYTES - 4);
  head.set([WHOLE_TEXT, LENGTH_IN_8_BYTES]);
  new DataView(head.buffer).setBigUint64(2, BigInt(bytes));
  return head;
}

/** A frame as the peer sends it: with a mask of zeros, where it masks. */
function asSent(frame: Uint8Array, isMasked: boolean): Uint8Array {
  if (!isMasked) return frame;
  const headBytes = frame[1] === LENGTH_IN_8_BYTES ? HEADER_BYTES - 4 : 2;
  const masked = new Uint8Array(frame.length + 4);
  masked.set(frame.subarray(0, headBytes));
  masked.set([MASKED | (frame[1] ?? 0)], 1);
  masked.set(frame.subarray(headBytes), headBytes + 4);
  return masked;
}
