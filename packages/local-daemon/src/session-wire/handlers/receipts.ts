import { type GetReceiptsParams, messageId, type Receipt, type SessionId, sessionId } from "@daemon-sdk/protocol";
import { messageText } from "../../conversation/index.js";
import { SERVING_LIMITS } from "../../limits/index.js";
import type { TurnStore } from "../../sessions/index.js";
import type { TurnRow } from "../../storage/index.js";
import { type Call, handle } from "./handler.js";
import { partialAnswer } from "./partial-answer.js";
import { receiptOf } from "./receipt-of.js";
import { sessionEvents, untilEntry, waitsForEntry } from "./session-events.js";
import { turnEvents } from "./turn-events.js";

/**
 * What became of messages (docs/protocol.md §7, "Receipts"). Read from the store: a receipt states only what is committed, but
 * for what cannot be stored now.
 */
export const RECEIPT_HANDLERS = [
  handle(
    "getReceipts",
    async ({ sessionId: id, messageIds }, { sessions, host }) => {
      await sessions.rowOf(id);
      const store = host.turnStore(id);
      const receipts: Receipt[] = [];
      const texts = new Texts();
      for (const wanted of messageIds) {
        const turn = await store.readTurn(sessionId(id), messageId(wanted));
        const text = turn === undefined || texts.isFull ? undefined : await answerOf(store, sessionId(id), turn);
        receipts.push(receiptOf(wanted, turn, texts.fitting(text)));
      }
      return { result: { receipts } };
    },
    { waitsFor: ({ waitMs = 0 }) => waitMs > 0, wait: untilEnded },
  ),

  handle(
    "getSessionEvents",
    async (params, { sessions, host }) => {
      await sessions.rowOf(params.sessionId);
      return { result: await sessionEvents(host, sessionId(params.sessionId), params) };
    },
    { waitsFor: waitsForEntry, wait: untilEntry },
  ),

  handle("getTurnEvents", async ({ sessionId: id, messageId: wanted, fromSeq }, { sessions, host }) => {
    await sessions.rowOf(id);
    const store = host.turnStore(id);
    const stored = await store.readTurn(sessionId(id), messageId(wanted));
    // Where it begins is stored when the agent gets the prompt, which is later.
    const open = host.find(sessionId(id))?.turns.find(messageId(wanted));
    const turn = stored && { ...stored, firstSeq: stored.firstSeq ?? open?.firstSeq };
    return { result: await turnEvents(store, wanted, turn, fromSeq) };
  }),
];

/** Waits until none of the messages has a turn that is still to end. */
async function untilEnded(
  { sessionId: id, messageIds, waitMs: maxMs = 0 }: GetReceiptsParams,
  { sessions, host, inTurn }: Call,
  ending: AbortSignal,
): Promise<void> {
  await sessions.rowOf(id);
  const isOpen = (wanted: string) => host.find(id)?.turns.find(messageId(wanted)) !== undefined;
  const hasEnded = async (wanted: string): Promise<boolean> => {
    if (isOpen(wanted)) return false;
    const turn = await host.turnStore(id).readTurn(sessionId(id), messageId(wanted));
    return turn === undefined || turn.endedAt !== undefined;
  };
  const firstToEnd = async (): Promise<string | undefined> => {
    for (const wanted of messageIds) if (!(await hasEnded(wanted))) return wanted;
    return undefined;
  };
  let awaited: string | undefined;
  const isDue = async (): Promise<boolean> => {
    // A commit meanwhile may be that of any of them.
    awaited = undefined;
    awaited = await inTurn(firstToEnd);
    return awaited === undefined;
  };
  // Of each commit of the session only this is asked: any number of calls may wait, each for a hundred messages.
  const mayBeDue = () => awaited === undefined || !isOpen(awaited);
  await host.services.watch.until(sessionId(id), isDue, { maxMs, signal: ending, mayBeDue });
}

async function answerOf(store: TurnStore, id: SessionId, turn: TurnRow): Promise<string | undefined> {
  const { answerId, endedAt } = turn;
  if (endedAt === undefined) return undefined;
  if (answerId === undefined) return partialAnswer(store, turn);
  const message = await store.readMessage(id, answerId);
  return message === undefined ? undefined : messageText(message);
}

/** Texts of one answer. What was read counts whether it fits or not: one call reads a page of texts, or one that is longer. */
class Texts {
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= SERVING_LIMITS.pageBytes;
  }

  fitting(text: string | undefined): string | undefined {
    const isFirst = this.#bytes === 0;
    this.#bytes += Buffer.byteLength(text ?? "");
    return this.#bytes <= (isFirst ? SERVING_LIMITS.answerBytes : SERVING_LIMITS.pageBytes) ? text : undefined;
  }
}
