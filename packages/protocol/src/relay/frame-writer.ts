import { UTF8_BYTES_PER_UNIT, utf8Bytes } from "../base/index.js";
import { ProtocolError } from "../errors.js";
import { LIMITS } from "../limits/index.js";
import type { Envelope } from "./envelope.js";

// Facts of the wire: docs/wire/relay.md#framing

/** Bytes before each frame's JSON: its length, unsigned, big-endian. */
export const FRAME_HEADER_BYTES = 4;

/** Placeholder for a header while frames are one text. JSON holds no raw NUL, and a NUL is one byte of UTF-8. */
const HEADER_PLACEHOLDER = "\0\0\0\0";

/** Mean frame size from which joining the texts costs more than the calls of the encoder that it saves. */
const LARGE_FRAME_UNITS = 1024;

const ENCODER = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** Bounds of a {@link FrameWriter}. */
export interface FrameWriterOptions {
  /** Largest frame without its header; default 1 MiB. Pass the value from the receiver's WELCOME. */
  maxFrameBytes?: number;
  /** Size of the slab for frames; default 64 KiB. A larger batch gets a slab of its own. */
  slabBytes?: number;
}

/**
 * Writes envelopes as frames, many into one slab: one encoding and one socket write for all that is sent in a tick.
 *
 * `take` returns the frames written since the last `take` as one chunk. The chunk is overwritten only after `release`. A
 * sender that releases its chunks reuses one slab and allocates nothing per frame. Without `release`, the writer allocates a
 * new slab when the old one is full. One writer may serve many connections.
 */
export class FrameWriter {
  readonly #maxFrameBytes: number;
  readonly #slabBytes: number;
  #slab = NO_BYTES;
  /** End of the taken part of the slab. */
  #end = 0;
  /** Chunks of the present slab that were taken and not released. */
  #lent = 0;
  readonly #texts: string[] = [];
  #units = 0;

  constructor(options?: FrameWriterOptions) {
    this.#maxFrameBytes = options?.maxFrameBytes ?? LIMITS.relayFrameBytes;
    this.#slabBytes = options?.slabBytes ?? LIMITS.relaySlabBytes;
  }

  /** Frames written and not yet taken. */
  get pendingFrames(): number {
    return this.#texts.length;
  }

  /** Lower bound of the waiting bytes, exact for ASCII. A caller decides by it whether to `take` in mid-tick. */
  get pendingBytes(): number {
    return this.#units + FRAME_HEADER_BYTES * this.#texts.length;
  }

  /**
   * Adds a frame.
   *
   * @throws ProtocolError MESSAGE_TOO_LARGE, or PROTOCOL_VIOLATION when the envelope is not JSON (a cycle, a bigint, too
   * deep). The frame is not added then; earlier frames are kept.
   */
  write(envelope: Envelope<unknown>): void {
    this.writeText(stringify(envelope));
  }

  /** Adds a frame from existing JSON, such as a stored one. The JSON is not parsed. */
  writeText(json: string): void {
    refuseOversized(json, this.#maxFrameBytes);
    this.#texts.push(json);
    this.#units += json.length;
  }

  /** All frames since the last call as one chunk; empty when there are none. */
  take(): Uint8Array {
    const texts = this.#texts;
    if (texts.length === 0) return NO_BYTES;
    const isWorthJoining = texts.length > 1 && this.#units < texts.length * LARGE_FRAME_UNITS;
    const chunk = (isWorthJoining ? this.#takeJoined(texts) : undefined) ?? this.#takeEach(texts);
    texts.length = 0;
    this.#units = 0;
    return chunk;
  }

  /** Encodes one frame at once, ahead of the waiting ones. */
  frameOf(json: string): Uint8Array {
    refuseOversized(json, this.#maxFrameBytes);
    this.#makeRoom(FRAME_HEADER_BYTES + roomOf(json, this.#slabBytes));
    const start = this.#end;
    return this.#lend(start, this.#append(json, start));
  }

  /**
   * Releases a chunk for reuse, in the callback of the socket's write. The chunk must not be read afterwards. Chunks of an
   * older slab are ignored.
   */
  release(chunk: Uint8Array): void {
    if (chunk.buffer !== this.#slab.buffer || this.#lent === 0) return;
    this.#lent -= 1;
    if (this.#lent === 0) this.#end = 0;
  }

  /** Encodes all frames in one call, which works when every unit is one byte; undefined when some need more. */
  #takeJoined(texts: readonly string[]): Uint8Array | undefined {
    const total = this.pendingBytes;
    this.#makeRoom(total);
    const start = this.#end;
    const joined = texts.join(HEADER_PLACEHOLDER);
    const target = this.#slab.subarray(start + FRAME_HEADER_BYTES, start + total);
    // The target has one byte per unit: a text with longer characters does not fit.
    if (ENCODER.encodeInto(joined, target).read !== joined.length) return undefined;
    let at = start;
    for (const text of texts) {
      writeHeader(this.#slab, at, text.length);
      at += FRAME_HEADER_BYTES + text.length;
    }
    return this.#lend(start, at);
  }

  #takeEach(texts: readonly string[]): Uint8Array {
    let room = 0;
    for (const text of texts) room += FRAME_HEADER_BYTES + roomOf(text, this.#slabBytes);
    this.#makeRoom(room);
    const start = this.#end;
    let at = start;
    for (const text of texts) at = this.#append(text, at);
    return this.#lend(start, at);
  }

  /** Writes one frame at `at`, where it must fit, and returns its end. */
  #append(text: string, at: number): number {
    const { written } = ENCODER.encodeInto(text, this.#slab.subarray(at + FRAME_HEADER_BYTES));
    writeHeader(this.#slab, at, written);
    return at + FRAME_HEADER_BYTES + written;
  }

  #lend(start: number, end: number): Uint8Array {
    this.#end = end;
    this.#lent += 1;
    return this.#slab.subarray(start, end);
  }

  #makeRoom(bytes: number): void {
    if (this.#slab.length - this.#end >= bytes) return;
    this.#slab = new Uint8Array(Math.max(this.#slabBytes, bytes));
    this.#end = 0;
    this.#lent = 0;
  }
}

const POOL = new FrameWriter({ maxFrameBytes: Number.POSITIVE_INFINITY });

/**
 * One envelope as one frame: 4 bytes of length, then JSON in UTF-8.
 *
 * The bytes belong to the caller and are never overwritten. They are a view into a shared slab: copy a frame that is kept
 * for long, because it keeps up to 64 KiB alive. Senders of many frames use a {@link FrameWriter}.
 *
 * @param maxFrameBytes largest JSON, without the header; default 1 MiB
 * @throws ProtocolError MESSAGE_TOO_LARGE, or PROTOCOL_VIOLATION when the envelope is not JSON
 */
export function encodeFrame(envelope: Envelope<unknown>, maxFrameBytes: number = LIMITS.relayFrameBytes): Uint8Array {
  const json = stringify(envelope);
  refuseOversized(json, maxFrameBytes);
  return POOL.frameOf(json);
}

function stringify(envelope: Envelope<unknown>): string {
  try {
    return JSON.stringify(envelope);
  } catch (cause) {
    const message = `A ${envelope.type} envelope cannot be written as JSON: remove cycles and bigints, and nest less deep.`;
    throw new ProtocolError("PROTOCOL_VIOLATION", message, { cause, data: { id: envelope.id } });
  }
}

function refuseOversized(json: string, maxFrameBytes: number): void {
  if (json.length * UTF8_BYTES_PER_UNIT <= maxFrameBytes) return;
  const bytes = json.length > maxFrameBytes ? json.length : utf8Bytes(json);
  if (bytes <= maxFrameBytes) return;
  throw new ProtocolError(
    "MESSAGE_TOO_LARGE",
    `A frame of ${bytes} bytes or more is over the receiver's limit of ${maxFrameBytes} bytes. Send less at once.`,
  );
}

/** Bytes to reserve for a text: the worst case of a short one, the exact count of a long one. */
function roomOf(text: string, slabBytes: number): number {
  const worst = text.length * UTF8_BYTES_PER_UNIT;
  return worst <= slabBytes ? worst : utf8Bytes(text);
}

function writeHeader(target: Uint8Array, at: number, length: number): void {
  target[at] = length >>> 24;
  target[at + 1] = length >>> 16;
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
}
