import type { EventPosition } from "@daemon-sdk/client";
import { HttpRefusal } from "../problem/index.js";

const ID = /^(\d{1,16})\.(\d{1,16})(?:\.(\d{1,6}))?$/;

/** The position of an event as the `id` of a server-sent event. Callers treat it as opaque. */
export function eventId({ epoch, seq, part }: EventPosition): string {
  return part === undefined ? `${epoch}.${seq}` : `${epoch}.${seq}.${part}`;
}

/** The position that an id stands for. Throws the refusal of what no event has as its id. */
export function positionOf(id: string): EventPosition {
  const [, epoch, seq, part] = ID.exec(id) ?? [];
  if (epoch === undefined || seq === undefined) {
    throw new HttpRefusal(400, "INVALID_PARAMS", "`Last-Event-ID` and `after` must be the id of an event, unchanged.");
  }
  const position = { epoch: Number(epoch), seq: Number(seq) };
  return part === undefined ? position : { ...position, part: Number(part) };
}
