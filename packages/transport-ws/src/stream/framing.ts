import { ProtocolError } from "@daemon-sdk/protocol";

/** Kind of a frame. */
export const FrameKind = {
  /** The payload is one message. */
  message: 0,
  /** The end of the messages. The payload is close code and reason, as {@link encodeClose} writes them. */
  close: 1,
  /** The other side is ready. No payload. A child program sends it when it has found its daemon. */
  ready: 2,
} as const;

/** One received frame. */
export interface Frame {
  readonly kind: number;
  readonly text: string;
}

/** Bytes of the payload (4, unsigned, big-endian), kind (1), payload (UTF-8). */
const HEADER_BYTES = 5;
const KIND_OFFSET = 4;

/** One frame, ready to be written. */
export function encodeFrame(kind: number, text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  frame.writeUInt32BE(bytes, 0);
  frame.writeUInt8(kind, KIND_OFFSET);
  frame.write(text, HEADER_BYTES);
  return frame;
}

/** A close frame, with code and reason: a byte stream itself has neither. */
export function encodeClose(code: number, reason: string): Buffer {
  return encodeFrame(FrameKind.close, `${code} ${reason}`);
}

/** Decodes a payload of {@link encodeClose}. */
export function decodeClose(text: string): { code: number; reason: string } {
  const [code = "", ...reason] = text.split(" ");
  return { code: Number(code) || 1000, reason: reason.join(" ") };
}

/**
 * Cuts a stream of bytes into frames, with any chunking.
 *
 * Time is linear in the bytes, because pieces are joined only once the frame they belong to is complete; memory is bounded by
 * one frame, because a length over the limit is refused before its payload is taken.
 */
export class FrameSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Bytes that are needed before the next step. */
  #needed = HEADER_BYTES;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The frames that `piece` completes. Throws MESSAGE_TOO_LARGE at a frame over the limit; later bytes are meaningless. */
  *push(piece: Buffer): Generator<Frame, void> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#needed) return;
    let rest = Buffer.concat(this.#pieces, this.#bytes);
    for (;;) {
      this.#needed = this.#frameBytes(rest);
      if (rest.length < this.#needed) break;
      const frame = rest.subarray(0, this.#needed);
      rest = rest.subarray(this.#needed);
      yield { kind: frame.readUInt8(KIND_OFFSET), text: frame.toString("utf8", HEADER_BYTES) };
    }
    this.#pieces = [rest];
    this.#bytes = rest.length;
  }

  #frameBytes(bytes: Buffer): number {
    if (bytes.length < HEADER_BYTES) return HEADER_BYTES;
    const payloadBytes = bytes.readUInt32BE(0);
    if (payloadBytes <= this.#maxBytes) return HEADER_BYTES + payloadBytes;
    throw new ProtocolError(
      "MESSAGE_TOO_LARGE",
      `The peer sent a message of ${payloadBytes} bytes; this side takes ${this.#maxBytes}. The link was closed. Raise maxMessageBytes here, or send less there.`,
    );
  }
}
