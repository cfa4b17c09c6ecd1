import { type GetTurnEventsResult, messageId, type SessionMessage, type TurnEntry } from "@daemon-sdk/protocol";
import { messageText } from "../../conversation/index.js";
import { isRequestFrame, notificationOf } from "../../journal/index.js";
import { SERVING_LIMITS } from "../../limits/index.js";
import { deliverable, type TurnStore } from "../../sessions/index.js";
import type { EntryRun, TurnRow } from "../../storage/index.js";
import { receiptOf } from "./receipt-of.js";

/** Bytes of entries in one page: as much as one journal read for a client that lags. An entry larger than that has a page of its own. */
const PAGE_BYTES = 256 * 1024;

/** A page of the events of one turn: from the journal, or, where that no longer has them, its messages. */
export async function turnEvents(
  store: TurnStore,
  id: string,
  turn: TurnRow | undefined,
  fromSeq: number | undefined,
): Promise<GetTurnEventsResult> {
  const receipt = receiptOf(id, turn);
  const first = turn?.firstSeq;
  if (turn === undefined) return { receipt, events: [] };
  // A turn that has not begun has no events. One that has ended, and does not say where it began, is of an older daemon.
  if (first === undefined && turn.endedAt === undefined) return { receipt, events: [] };
  const from = Math.max(fromSeq ?? 0, first ?? 0);
  const last = turn.lastSeq ?? Number.POSITIVE_INFINITY;
  if (first !== undefined && from > last) return { receipt, events: [] };
  const run = await store.readEntries(turn.sessionId, from, PAGE_BYTES);
  // A running turn has nothing at `from` when all of it was read.
  const isGone = first === undefined || (run.entries.length === 0 ? turn.endedAt !== undefined : run.firstSeq !== from);
  if (isGone) return pruned(store, turn);
  return { receipt, ...pageOf(run, from, last) };
}

function pageOf(
  { epoch, entries }: EntryRun,
  from: number,
  last: number,
): Pick<GetTurnEventsResult, "events" | "nextSeq"> {
  const events: TurnEntry[] = [];
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    const seq = from + index;
    if (seq > last) return { events };
    const size = Buffer.byteLength(entry);
    if (index > 0 && bytes + size > PAGE_BYTES) return { events, nextSeq: seq };
    bytes += size;
    if (!isRequestFrame(entry)) events.push({ epoch, seq, notification: notificationOf(entry) });
  }
  const nextSeq = from + entries.length;
  return entries.length === 0 || nextSeq > last ? { events } : { events, nextSeq };
}

/** All that is left of a turn: the receipt with its answer, and the messages up to the next prompt. */
async function pruned(store: TurnStore, turn: TurnRow): Promise<GetTurnEventsResult> {
  const { sessionId, id, answerId, endedAt } = turn;
  const messages: SessionMessage[] = [];
  for (const message of await store.readMessagesFrom(sessionId, id, SERVING_LIMITS.answerBytes)) {
    const isNext = message.role === "user" && message.id !== id;
    if (isNext && (await store.readTurn(sessionId, messageId(message.id))) !== undefined) break;
    messages.push(message);
  }
  const answer = messages.find((message) => message.id === answerId);
  const text = answer === undefined || endedAt === undefined ? undefined : messageText(answer);
  // A long answer is in its message alone.
  const isShort = Buffer.byteLength(text ?? "") <= SERVING_LIMITS.snapshotBytes;
  return {
    receipt: receiptOf(id, turn, isShort ? text : undefined),
    events: [],
    messages: deliverable(messages, Number.POSITIVE_INFINITY),
  };
}
