/** The kinds of frames (RFC 6455 §5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Longest payload of a control frame, and of a frame whose header states its length in one byte. */
export const SHORT_PAYLOAD_BYTES = 125;
/** Longest header of a frame. */
export const HEADER_BYTES = 14;
/** The first byte of a text that is one frame. */
export const WHOLE_TEXT = 0x80 | OPCODE.text;
/** Of the second byte: whether the payload is masked. */
export const MASKED = 0x80;
/** What the second byte states in place of a length that follows in 2 bytes, or in 8. */
export const LENGTH_IN_2_BYTES = 126;
export const LENGTH_IN_8_BYTES = 127;

/** The header of a frame. */
export interface FrameHead {
  readonly isFinal: boolean;
  readonly opcode: number;
  /** Bytes of the header. */
  readonly bytes: number;
  readonly payloadBytes: number;
  /** No reserved bit is set. */
  readonly isPlain: boolean;
  /** Undefined: the payload is not masked. */
  readonly mask: Uint8Array | undefined;
}

/** The header at a place; undefined when it is not complete. */
export function headOf(bytes: Uint8Array, at: number): FrameHead | undefined {
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
  return {
    isFinal: (first & 0x80) !== 0,
    opcode: first & 0x0f,
    bytes: headBytes,
    payloadBytes,
    isPlain: (first & 0x70) === 0,
    mask: isMasked ? bytes.slice(at + headBytes - 4, at + headBytes) : undefined,
  };
}

/**
 * Masks bytes in place, or unmasks them, with the mask at `maskFrom` of `mask`, from its byte `phase` on. Returns at which byte of the mask the next
 * ones continue.
 */
export function unmask(
  bytes: Uint8Array,
  at: number,
  end: number,
  mask: Uint8Array,
  maskFrom: number,
  phase: number,
): number {
  const a = mask[maskFrom + (phase & 3)] as number;
  const b = mask[maskFrom + ((phase + 1) & 3)] as number;
  const c = mask[maskFrom + ((phase + 2) & 3)] as number;
  const d = mask[maskFrom + ((phase + 3) & 3)] as number;
  let index = at;
  for (const last = end - 3; index < last; index += 4) {
    bytes[index] = (bytes[index] as number) ^ a;
    bytes[index + 1] = (bytes[index + 1] as number) ^ b;
    bytes[index + 2] = (bytes[index + 2] as number) ^ c;
    bytes[index + 3] = (bytes[index + 3] as number) ^ d;
  }
  if (index < end) bytes[index] = (bytes[index++] as number) ^ a;
  if (index < end) bytes[index] = (bytes[index++] as number) ^ b;
  if (index < end) bytes[index] = (bytes[index++] as number) ^ c;
  return (phase + end - at) & 3;
}
