import type { Frame, Sin, SinfulWire } from "./sinful-daemon.js";

/** A daemon that sends this in place of each frame. */
export function says(change: (frame: Frame, wire: SinfulWire) => Frame): () => Sin {
  return () => ({ says: (frame, wire) => [change(frame, wire)] });
}

/** A daemon that receives this in place of each frame of a client; undefined drops the frame. */
export function hears(change: (frame: Frame, wire: SinfulWire) => Frame | undefined): () => Sin {
  return () => ({ hears: change });
}
