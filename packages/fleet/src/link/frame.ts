/** Kinds of messages of a link. */
export const FrameKind = {
  /** A piece of the sender's messages. Counted. */
  data: 1,
  /** States how much was sent and received. */
  beat: 2,
  /** The polite end: code and reason. Counted, because it comes after everything that was sent. */
  close: 3,
  /** The link does not exist, or was broken off. */
  reset: 4,
} as const;

/** One of {@link FrameKind}'s values. */
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** Bytes of the header: kind, sequence, acknowledgement. */
export const HEADER_BYTES = 13;

/** One NATS message of a link. */
export interface Frame {
  readonly kind: FrameKind;
  /** Number of this message among the counted ones of its direction, from 1; of an uncounted one: of the last counted one. */
  readonly sequence: number;
  /** The last counted message of the other direction that was consumed. */
  readonly acknowledged: number;
  readonly body: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const KINDS: ReadonlySet<number> = new Set(Object.values(FrameKind));
const HIGH = 2 ** 32;

/** A frame's bytes: kind (1 byte), sequence (6), acknowledgement (6), body. */
export function encodeFrame(frame: Omit<Frame, "body">, pieces: readonly Uint8Array[] = []): Uint8Array {
  let size = HEADER_BYTES;
  for (const piece of pieces) size += piece.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, frame.kind);
  setUint48(view, 1, frame.sequence);
  setUint48(view, 7, frame.acknowledged);
  let at = HEADER_BYTES;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Reads a frame; undefined for bytes that are none. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint8(0);
  if (!KINDS.has(kind)) return undefined;
  return {
    kind: kind as FrameKind,
    sequence: getUint48(view, 1),
    acknowledged: getUint48(view, 7),
    body: bytes.length === HEADER_BYTES ? EMPTY : bytes.subarray(HEADER_BYTES),
  };
}

function setUint48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / HIGH));
  view.setUint32(at + 2, value % HIGH);
}

function getUint48(view: DataView, at: number): number {
  return view.getUint16(at) * HIGH + view.getUint32(at + 2);
}
