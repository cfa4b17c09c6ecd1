import { isRecord } from "../base/index.js";
import type { Position } from "./values.js";

/** Negative when `a` is before `b` in one session's journal, 0 when they are equal, else positive. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch === b.epoch ? a.seq - b.seq : a.epoch - b.epoch;
}

/** Whether `value` holds a position, such as the `_meta` of a journal entry. */
export function isPosition(value: unknown): value is Position {
  return isRecord(value) && Number.isInteger(value.epoch) && Number.isInteger(value.seq);
}
