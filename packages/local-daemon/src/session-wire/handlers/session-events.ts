import {
  DaemonError,
  type GetSessionEventsParams,
  type Position,
  type SessionId,
  sessionId,
} from "@daemon-sdk/protocol";
import { checkPosition, isRequestFrame } from "../../journal/index.js";
import { SERVING_LIMITS } from "../../limits/index.js";
import type { SessionHost, TurnStore } from "../../sessions/index.js";
import type { EntryRun, TurnRow } from "../../storage/index.js";
import { type Call, WrittenResult } from "./handler.js";
import { type PagedEntry, pageText } from "./page-text.js";

/** Entries of one page, in UTF-16 units: as many as the bytes of a page of `get_turn_events`. */
const PAGE_CHARS = 256 * 1024;

/** Whether the call may have to wait for an entry. */
export function waitsForEntry({ after, waitMs = 0 }: GetSessionEventsParams): boolean {
  return after !== undefined && waitMs > 0;
}

/** Waits until the journal goes on after a position, or ends before it. */
export async function untilEntry(
  params: GetSessionEventsParams,
  { sessions, host }: Call,
  ending: AbortSignal,
): Promise<void> {
  const { after, waitMs: maxMs = 0 } = params;
  const id = sessionId(params.sessionId);
  await sessions.rowOf(id);
  await host.services.watch.until(id, async () => (await endOf(host, id)) !== after?.seq, { maxMs, signal: ending });
}

/** A page of a session's entries after a position. Without a position: the end of the journal. */
export async function sessionEvents(
  host: SessionHost,
  id: SessionId,
  { after, includeRequests = false, runs = false }: Omit<GetSessionEventsParams, "sessionId" | "waitMs">,
): Promise<WrittenResult> {
  const { leaving } = await host.rowOf(id);
  const epoch = host.find(id)?.log.epoch ?? leaving?.epoch ?? host.services.epoch;
  const end = { epoch, seq: await endOf(host, id) };
  if (after === undefined)
    return new WrittenResult(pageText({ epoch, entries: [], position: end, isIncomplete: false }, false));
  const store = host.turnStore(id);
  const goesOn = await isContinuous(host, id, after, end);
  const run = await store.readEntries(id, after.seq + 1, PAGE_CHARS);
  const isIncomplete = !goesOn || (run.entries.length > 0 && run.firstSeq !== after.seq + 1);
  const count = fitting(run.entries);
  const entries = await pagedEntries(store, id, run, count, includeRequests);
  const last = { epoch: run.epoch, seq: run.firstSeq + count - 1 };
  const position = count > 0 ? last : isIncomplete ? end : { epoch: after.epoch, seq: after.seq };
  return new WrittenResult(pageText({ epoch: run.epoch, entries, position, isIncomplete }, runs));
}

/** The number of the last committed entry. */
async function endOf(host: SessionHost, id: SessionId): Promise<number> {
  return host.find(id)?.log.committedSeq ?? (await host.services.store.journalBounds(id)).lastSeq;
}

async function isContinuous(host: SessionHost, id: SessionId, after: Position, end: Position): Promise<boolean> {
  // The end that this daemon has stated is good, also where its last entry could not be stored.
  if (after.epoch === end.epoch && after.seq === end.seq) return true;
  try {
    await checkPosition(host.services.store, id, after, end.seq);
    return true;
  } catch (error) {
    if (DaemonError.is(error, "RESUME_TOO_OLD")) return false;
    throw error;
  }
}

async function pagedEntries(
  store: TurnStore,
  id: SessionId,
  { firstSeq, entries }: EntryRun,
  count: number,
  includeRequests: boolean,
): Promise<PagedEntry[]> {
  const turns = count === 0 ? [] : await turnsOf(store, id, firstSeq, firstSeq + count - 1);
  const paged: PagedEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = entries[index] ?? "";
    const seq = firstSeq + index;
    if (includeRequests || !isRequestFrame(entry)) paged.push({ seq, turnId: turnAt(turns, seq), entry });
  }
  return paged;
}

/** How many entries are one page: at least one. */
function fitting(entries: readonly string[]): number {
  let chars = 0;
  let count = 0;
  for (const entry of entries) {
    chars += entry.length;
    if (count > 0 && chars > PAGE_CHARS) break;
    count += 1;
  }
  return count;
}

/** The turns that have entries in that range, the newest first. */
async function turnsOf(store: TurnStore, id: SessionId, fromSeq: number, toSeq: number): Promise<TurnRow[]> {
  const found: TurnRow[] = [];
  for (let below = Number.MAX_SAFE_INTEGER; ; ) {
    const rows = await store.turnsBelow(id, below, SERVING_LIMITS.turnsAtOnce);
    for (const row of rows) {
      const { firstSeq, lastSeq = Number.POSITIVE_INFINITY, state } = row;
      if (firstSeq !== undefined && firstSeq <= toSeq && lastSeq >= fromSeq) found.push(row);
      // A message that was discarded while it waited ended before turns of smaller ordinals.
      if (lastSeq < fromSeq && state !== "interrupted") return found;
    }
    const oldest = rows.at(-1);
    if (oldest === undefined) return found;
    below = oldest.ordinal;
  }
}

/** The entries of a message that was discarded stand among those of the turn that ran. */
function turnAt(turns: readonly TurnRow[], seq: number): string | undefined {
  let best: TurnRow | undefined;
  for (const turn of turns) {
    const { firstSeq = 0, lastSeq = Number.POSITIVE_INFINITY } = turn;
    if (firstSeq <= seq && seq <= lastSeq && firstSeq > (best?.firstSeq ?? 0)) best = turn;
  }
  return best?.id;
}
