import type { Frame, Sin, SinfulWire } from "./sinful-daemon.js";

/** A daemon that says this in place of each frame. */
export function says(change: (frame: Frame, wire: SinfulWire) => Frame): () => Sin {
  return () => ({ says: (frame, wire) => [change(frame, wire)] });
}

/** A daemon that hears this in place of each frame of a client; undefined: nothing of it. */
export function hears(change: (frame: Frame, wire: SinfulWire) => Frame | undefined): () => Sin {
  return () => ({ hears: change });
}
