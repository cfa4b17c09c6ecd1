import { randomFillSync } from "node:crypto";
import { LENGTH_IN_2_BYTES, MASKED, SHORT_PAYLOAD_BYTES, unmask, WHOLE_TEXT } from "./frame-head.js";

/** Longest text of {@link textFrame}: its bytes can be stated in 2 bytes. */
export const FRAMED_UNITS = 8 * 1024;

const MASK_BYTES = 4;
/** Random bytes are made for so many frames at a time. */
const masks = Buffer.allocUnsafeSlow(2048 * MASK_BYTES);
let nextMask = masks.length;

/**
 * A text of at most {@link FRAMED_UNITS} as one frame. The library makes two chunks of it, and passes four objects of options along.
 *
 * @param isMasked whether a client sends it
 */
export function textFrame(text: string, isMasked: boolean): Buffer {
  const bytes = Buffer.byteLength(text);
  const isShort = bytes <= SHORT_PAYLOAD_BYTES;
  const headBytes = (isShort ? 2 : 4) + (isMasked ? MASK_BYTES : 0);
  const frame = Buffer.allocUnsafe(headBytes + bytes);
  frame[0] = WHOLE_TEXT;
  frame[1] = (isMasked ? MASKED : 0) | (isShort ? bytes : LENGTH_IN_2_BYTES);
  if (!isShort) {
    frame[2] = bytes >>> 8;
    frame[3] = bytes & 0xff;
  }
  // Each unit is one byte: a copy.
  frame.write(text, headBytes, bytes === text.length ? "latin1" : "utf8");
  if (isMasked) mask(frame, headBytes);
  return frame;
}

/** Masks what follows the head, which ends with the mask. */
function mask(frame: Buffer, headBytes: number): void {
  if (nextMask === masks.length) {
    randomFillSync(masks);
    nextMask = 0;
  }
  const from = nextMask;
  nextMask += MASK_BYTES;
  for (let byte = 0; byte < MASK_BYTES; byte++) frame[headBytes - MASK_BYTES + byte] = masks[from + byte] as number;
  unmask(frame, headBytes, frame.length, masks, from, 0);
}
