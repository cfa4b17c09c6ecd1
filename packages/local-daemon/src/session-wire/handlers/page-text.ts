import type { Position } from "@daemon-sdk/protocol";
import { notificationTextOf } from "../../journal/index.js";

/** An entry of a page, and the turn that it belongs to. */
export interface PagedEntry {
  readonly seq: number;
  readonly turnId: string | undefined;
  /** As it is stored. */
  readonly entry: string;
}

/** A page of the entries of one epoch. */
export interface EventsPage {
  readonly epoch: number;
  readonly entries: readonly PagedEntry[];
  /** Where the next page begins. */
  readonly position: Position;
  readonly isIncomplete: boolean;
}

/**
 * The JSON of a `GetSessionEventsResult`. The entries are written as the journal has them: none is parsed to be written again.
 *
 * @param asRuns whether entries that follow one another in a turn are one run
 */
export function pageText(page: EventsPage, asRuns: boolean): string {
  const events = asRuns ? `"events":[],"runs":[${runsOf(page).join(",")}]` : `"events":[${eventsOf(page).join(",")}]`;
  const more = page.isIncomplete ? ',"isIncomplete":true' : "";
  return `{${events},"position":${JSON.stringify(page.position)}${more}}`;
}

function eventsOf({ epoch, entries }: EventsPage): string[] {
  return entries.map((one) => `${placeOf(epoch, one)}"notification":${notificationTextOf(one.entry)}}`);
}

function runsOf({ epoch, entries }: EventsPage): string[] {
  const runs: string[] = [];
  for (let start = 0; start < entries.length; ) {
    const first = entries[start];
    if (first === undefined) break;
    const notifications: string[] = [];
    for (let next: PagedEntry | undefined = first; next !== undefined && follows(next, first, notifications.length); ) {
      notifications.push(notificationTextOf(next.entry));
      next = entries[start + notifications.length];
    }
    runs.push(`${placeOf(epoch, first)}"notifications":[${notifications.join(",")}]}`);
    start += notifications.length;
  }
  return runs;
}

/** Whether an entry is the one after so many of a run. */
function follows(entry: PagedEntry, first: PagedEntry, count: number): boolean {
  return entry.seq === first.seq + count && entry.turnId === first.turnId;
}

/** The beginning of an object with the place of an entry. */
function placeOf(epoch: number, { seq, turnId }: PagedEntry): string {
  return `{"epoch":${epoch},"seq":${seq},${turnId === undefined ? "" : `"turnId":${JSON.stringify(turnId)},`}`;
}
