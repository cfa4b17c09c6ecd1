import { ProtocolError } from "../errors.js";
import { LIMITS } from "../limits/index.js";
import { type Envelope, EnvelopeFault, readEnvelope } from "./envelope.js";
import { FRAME_HEADER_BYTES } from "./frame-writer.js";

// Facts of the wire: docs/wire/relay.md#framing, docs/wire/relay.md#frame-limits

/** Runs of frames up to this size are decoded as one text, which saves a call of the decoder per frame. */
const RUN_BYTES = 64 * 1024;

/** Mean frame size above which decoding one by one is no slower, and saves a copy. */
const LARGE_FRAME_BYTES = 16 * 1024;

/** After a run that was not all ASCII, this many runs are decoded frame by frame: they likely are not ASCII either. */
const RUNS_AFTER_NON_ASCII = 8;

/** First size of the buffer for a frame that is spread over chunks; it doubles as bytes arrive. */
const FIRST_PARTIAL_BYTES = 512;

/** Up to this many bytes are copied one by one: a view of them would cost more. */
const FEW_BYTES = 8;

/** Strict, and the byte order mark counts as a character: so an equal length proves that all of it is ASCII. */
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const SPACE = 0x20;
const NO_BYTES = new Uint8Array(0);

/** Shared by all parsers, and free again before any handler is called. */
let runBuffer = NO_BYTES;

/** The largest small buffer that a parser has released. Most chunks end in mid-frame, and should not cost an allocation each. */
let spare = NO_BYTES;

/** Options of a {@link FrameParser}. Both callbacks run inside `push`. */
export interface FrameParserOptions {
  /** Largest frame without its header; default 1 MiB. */
  maxFrameBytes?: number;
  /** Called with each envelope, in order; its own fields are checked, its payload is not. `bytes` is the JSON's length. */
  onFrame(envelope: Envelope, bytes: number): void;
  /**
   * Called once, after the good frames before the bad one, with PROTOCOL_VIOLATION or MESSAGE_TOO_LARGE. Later bytes are
   * ignored, because the start of the next frame is unknown. `error.data.id` is the bad envelope's id, if readable.
   */
  onError(error: ProtocolError): void;
}

/**
 * Cuts a byte stream into envelopes, however it is chunked.
 *
 * Time is linear in the bytes: a frame spread over chunks is copied once, the others are decoded in place. Memory grows with
 * the received bytes, never with a length that a header announces, up to one frame. An idle parser holds no buffer.
 *
 * When a handler throws, the rest of the chunk is still delivered; then `push` throws the first exception.
 */
export class FrameParser {
  readonly #maxFrameBytes: number;
  readonly #onFrame: (envelope: Envelope, bytes: number) => void;
  readonly #onError: (error: ProtocolError) => void;
  /** The beginning of a frame whose end has not arrived. */
  #partial = NO_BYTES;
  #partialBytes = 0;
  #runsToSplit = 0;
  #stopped = false;
  #thrown: { error: unknown } | undefined;

  constructor(options: FrameParserOptions) {
    this.#maxFrameBytes = options.maxFrameBytes ?? LIMITS.relayFrameBytes;
    this.#onFrame = options.onFrame;
    this.#onError = options.onError;
  }

  /** Bytes of an unfinished frame. Above zero at the end of a stream, the last frame was truncated. */
  get pendingBytes(): number {
    return this.#partialBytes;
  }

  /** Parses the next bytes of the stream. The caller may reuse the chunk afterwards. */
  push(chunk: Uint8Array): void {
    let at = this.#partialBytes > 0 && !this.#stopped ? this.#finishPartial(chunk) : 0;
    while (at < chunk.length && !this.#stopped) at = this.#readRun(chunk, at);
    const thrown = this.#thrown;
    if (thrown === undefined) return;
    this.#thrown = undefined;
    throw thrown.error;
  }

  /** Ignores all further bytes, the rest of the present chunk included. For a handler that has closed the connection. */
  stop(): void {
    this.#stopped = true;
    this.#dropPartial();
  }

  /** Completes the frame that earlier chunks began. Returns how many bytes of `chunk` it used. */
  #finishPartial(chunk: Uint8Array): number {
    let at = this.#fillPartial(chunk, 0, FRAME_HEADER_BYTES);
    if (this.#partialBytes < FRAME_HEADER_BYTES) return at;
    const length = readLength(this.#partial, 0);
    if (length > this.#maxFrameBytes) {
      this.#refuseLength(length);
      return at;
    }
    const end = FRAME_HEADER_BYTES + length;
    at += this.#fillPartial(chunk, at, end);
    if (this.#partialBytes < end) return at;
    const json = decode(this.#partial, FRAME_HEADER_BYTES, end);
    this.#dropPartial();
    this.#deliver(json, length);
    return at;
  }

  /** Moves bytes until the unfinished frame has `wanted` of them. Returns how many were moved. */
  #fillPartial(chunk: Uint8Array, from: number, wanted: number): number {
    const count = Math.min(Math.max(wanted - this.#partialBytes, 0), chunk.length - from);
    if (count === 0) return 0;
    const needed = this.#partialBytes + count;
    if (needed > this.#partial.length) this.#growPartial(needed, wanted);
    if (count > FEW_BYTES) this.#partial.set(viewOf(chunk, from, from + count), this.#partialBytes);
    else for (let at = 0; at < count; at += 1) this.#partial[this.#partialBytes + at] = chunk[from + at] ?? 0;
    this.#partialBytes = needed;
    return count;
  }

  #growPartial(needed: number, wanted: number): void {
    const old = this.#partial;
    if (spare.length >= needed) {
      this.#partial = spare;
      spare = NO_BYTES;
    } else {
      this.#partial = new Uint8Array(Math.max(needed, FIRST_PARTIAL_BYTES, Math.min(old.length * 2, wanted)));
    }
    if (this.#partialBytes > 0) this.#partial.set(old.subarray(0, this.#partialBytes));
  }

  #dropPartial(): void {
    if (this.#partial.length > spare.length && this.#partial.length <= RUN_BYTES) spare = this.#partial;
    this.#partial = NO_BYTES;
    this.#partialBytes = 0;
  }

  /** Delivers the whole frames that begin at `start`, up to a bound; keeps the tail when there are no more. */
  #readRun(chunk: Uint8Array, start: number): number {
    let end = start;
    let frames = 0;
    let oversized: number | undefined;
    while (chunk.length - end >= FRAME_HEADER_BYTES) {
      const length = readLength(chunk, end);
      if (length > this.#maxFrameBytes) oversized = length;
      const next = end + FRAME_HEADER_BYTES + length;
      if (oversized !== undefined || next > chunk.length || (frames > 0 && next - start > RUN_BYTES)) break;
      end = next;
      frames += 1;
    }
    if (frames === 0 && oversized === undefined) {
      this.#fillPartial(chunk, start, chunk.length - start);
      return chunk.length;
    }
    this.#deliverRun(chunk, start, end, frames);
    if (oversized !== undefined) this.#refuseLength(oversized);
    return end;
  }

  #deliverRun(chunk: Uint8Array, start: number, end: number, frames: number): void {
    const isWorthIt = frames > 1 && end - start < frames * LARGE_FRAME_BYTES;
    const text = isWorthIt ? this.#decodeRun(chunk, start, end) : undefined;
    for (let at = start; at < end && !this.#stopped; ) {
      const length = readLength(chunk, at);
      const from = at + FRAME_HEADER_BYTES;
      at = from + length;
      const json = text?.slice(from - start, at - start) ?? decode(chunk, from, at);
      this.#deliver(json, length);
    }
  }

  #decodeRun(chunk: Uint8Array, start: number, end: number): string | undefined {
    if (this.#runsToSplit > 0) {
      this.#runsToSplit -= 1;
      return undefined;
    }
    const text = decodeAsciiRun(chunk, start, end);
    if (text === undefined) this.#runsToSplit = RUNS_AFTER_NON_ASCII;
    return text;
  }

  #deliver(json: string | undefined, bytes: number): void {
    const envelope = json === undefined ? NOT_UTF8 : parseEnvelope(json);
    if (envelope instanceof EnvelopeFault) {
      const { message, id } = envelope;
      this.#fail(new ProtocolError("PROTOCOL_VIOLATION", `Bad frame of ${bytes} bytes: ${message}.`, { data: { id } }));
      return;
    }
    try {
      this.#onFrame(envelope, bytes);
    } catch (error) {
      this.#thrown ??= { error };
    }
  }

  #refuseLength(length: number): void {
    const message = `A frame of ${length} bytes is over the limit of ${this.#maxFrameBytes} bytes. Frames are 4 bytes of length, big-endian, and JSON.`;
    this.#fail(new ProtocolError("MESSAGE_TOO_LARGE", message));
  }

  #fail(error: ProtocolError): void {
    // A handler of an earlier frame may have stopped the parser: then the error is not reported.
    if (this.#stopped) return;
    this.stop();
    try {
      this.#onError(error);
    } catch (thrown) {
      this.#thrown ??= { error: thrown };
    }
  }
}

const NOT_UTF8 = new EnvelopeFault("the frame must be UTF-8", undefined);
const NOT_JSON = new EnvelopeFault("the frame must be JSON", undefined);

function parseEnvelope(json: string): Envelope | EnvelopeFault {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The engine's message quotes the text, which may hold a credential.
    return NOT_JSON;
  }
  return readEnvelope(value);
}

/** Not `subarray`: on a Buffer it makes another Buffer, which costs more than decoding a short frame. */
function viewOf(chunk: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset + from, to - from);
}

function decode(chunk: Uint8Array, from: number, to: number): string | undefined {
  try {
    return DECODER.decode(viewOf(chunk, from, to));
  } catch {
    return undefined;
  }
}

/** The bytes as one text in which offsets are those of the bytes, or undefined when some of them are not ASCII. */
function decodeAsciiRun(chunk: Uint8Array, start: number, end: number): string | undefined {
  const bytes = end - start;
  if (runBuffer.length < bytes) runBuffer = new Uint8Array(Math.max(bytes, RUN_BYTES));
  const run = runBuffer.subarray(0, bytes);
  run.set(viewOf(chunk, start, end));
  for (let at = 0; at < bytes; ) {
    const length = readLength(run, at);
    // A loop, because a call of `fill` costs more than all the rest of this loop.
    run[at] = SPACE;
    run[at + 1] = SPACE;
    run[at + 2] = SPACE;
    run[at + 3] = SPACE;
    at += FRAME_HEADER_BYTES + length;
  }
  try {
    const text = DECODER.decode(run);
    return text.length === bytes ? text : undefined;
  } catch {
    return undefined;
  }
}

function readLength(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return (high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}
