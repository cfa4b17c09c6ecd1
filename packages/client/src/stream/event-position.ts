import type { EnvelopeMeta, Position } from "@daemon-sdk/protocol";

/**
 * Place of an event in its session's journal. `follow` continues with the event after it.
 *
 * An entry of the journal can have several events. The last one of them has the position of the entry. Those before it have the
 * position before the entry, and `part`, which counts the events of the entry so far.
 */
export interface EventPosition extends Position {
  part?: number;
}

/** An event with its place, where the daemon states positions. */
export interface Placed {
  position?: EventPosition;
}

/**
 * The event with its place.
 *
 * @param entry position of the entry that the event was made of
 * @param part of an event that is not the last one of its entry: its number among them, from 1
 */
export function placed<Event extends object>(
  event: Event,
  { epoch, seq }: EnvelopeMeta,
  part?: number,
): Event & Placed {
  const place: Event & Placed = event;
  if (epoch !== undefined && seq !== undefined)
    place.position = part === undefined ? { epoch, seq } : { epoch, seq: seq - 1, part };
  return place;
}
