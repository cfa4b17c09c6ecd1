/** How the frames of a stream are delimited. */
type Framing = "unknown" | "http" | "web-socket" | "length-prefixed" | "opaque";

/** `\r\n\r\n`, the end of an HTTP head. */
const HEAD_END = [0x0d, 0x0a, 0x0d, 0x0a];

/**
 * Finds the borders of frames in one direction of a connection: of a WebSocket, behind its HTTP head, or of frames of
 * four bytes of length (docs/protocol.md §1, §14).
 */
export class FrameTracker {
  #framing: Framing = "unknown";
  /** Bytes of {@link HEAD_END} seen in a row. */
  #headEnd = 0;
  /** First bytes of the present frame, until its size is known. */
  #header: number[] = [];
  #size: number | undefined;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #last: readonly Uint8Array[] | undefined;

  /** The last whole frame that carried data. */
  get last(): Uint8Array | undefined {
    return this.#last && concat(this.#last);
  }

  /** Whether bytes can be inserted here without breaking a frame. */
  get isAtBorder(): boolean {
    return this.#bytes === 0 && (this.#framing === "web-socket" || this.#framing === "length-prefixed");
  }

  /** Reads the next bytes of the stream. Returns the offsets in `chunk` at which frames ended. */
  push(chunk: Uint8Array): number[] {
    const borders: number[] = [];
    const first = chunk[0];
    if (this.#framing === "unknown" && first !== undefined) this.#framing = framingOf(first);
    let at = this.#framing === "http" ? this.#skipHead(chunk) : 0;
    while (at < chunk.length && this.#framing !== "opaque" && this.#framing !== "http") {
      at = this.#take(chunk, at);
      if (this.#bytes === 0) borders.push(at);
    }
    return borders;
  }

  #skipHead(chunk: Uint8Array): number {
    for (const [at, byte] of chunk.entries()) {
      if (byte === HEAD_END[this.#headEnd]) this.#headEnd++;
      else this.#headEnd = byte === HEAD_END[0] ? 1 : 0;
      if (this.#headEnd < HEAD_END.length) continue;
      this.#framing = "web-socket";
      return at + 1;
    }
    return chunk.length;
  }

  /** Reads the rest of the present frame, or one byte of its header. Returns the offset after it. */
  #take(chunk: Uint8Array, at: number): number {
    let end = at + 1;
    if (this.#size === undefined) this.#header.push(chunk[at] ?? 0);
    else end = Math.min(chunk.length, at + this.#size - this.#bytes);
    this.#pieces.push(chunk.subarray(at, end));
    this.#bytes += end - at;
    this.#size ??=
      this.#framing === "web-socket" ? webSocketFrameBytes(this.#header) : prefixedFrameBytes(this.#header);
    if (this.#bytes === this.#size) this.#finish();
    return end;
  }

  #finish(): void {
    // Opcodes from 8 on are WebSocket's own: close, ping, pong.
    const isData = this.#framing !== "web-socket" || ((this.#header[0] ?? 0) & 0x0f) < 8;
    if (isData) this.#last = this.#pieces;
    this.#pieces = [];
    this.#header = [];
    this.#bytes = 0;
    this.#size = undefined;
  }
}

/** All of these bytes in one array. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function framingOf(first: number): Framing {
  if (first === 0) return "length-prefixed";
  return first >= 0x41 && first <= 0x5a ? "http" : "opaque";
}

/** Size of the frame with this header (RFC 6455 §5.2); undefined while the header is incomplete. */
function webSocketFrameBytes(header: readonly number[]): number | undefined {
  const second = header[1];
  if (second === undefined) return undefined;
  const mask = second & 0x80 ? 4 : 0;
  const short = second & 0x7f;
  if (short < 126) return 2 + mask + short;
  const lengthEnd = short === 126 ? 4 : 10;
  return header.length < lengthEnd ? undefined : lengthEnd + mask + bigEndian(header.slice(2, lengthEnd));
}

function prefixedFrameBytes(header: readonly number[]): number | undefined {
  return header.length < 4 ? undefined : 4 + bigEndian(header);
}

function bigEndian(bytes: readonly number[]): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
