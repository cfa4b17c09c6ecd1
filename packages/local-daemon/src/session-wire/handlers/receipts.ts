import { messageId, type Receipt, type SessionId, sessionId } from "@daemon-sdk/protocol";
import { messageText } from "../../conversation/index.js";
import { SERVING_LIMITS } from "../../limits/index.js";
import type { Store, TurnRow } from "../../storage/index.js";
import { handle } from "./handler.js";

/** What became of messages (docs/protocol.md §7, "Receipts"). Read from the store: a receipt states only what is committed. */
export const RECEIPT_HANDLERS = [
  handle("getReceipts", async ({ sessionId: id, messageIds }, { sessions, host }) => {
    await sessions.rowOf(id);
    const { store } = host.services;
    const receipts: Receipt[] = [];
    let room = SERVING_LIMITS.answerBytes;
    for (const wanted of messageIds) {
      const turn = await store.readTurn(sessionId(id), messageId(wanted));
      const text = turn === undefined ? undefined : await answerOf(store, sessionId(id), turn);
      const fits = text !== undefined && Buffer.byteLength(text) <= room;
      if (fits) room -= Buffer.byteLength(text);
      receipts.push(receipt(wanted, turn, fits ? text : undefined));
    }
    return { result: { receipts } };
  }),
];

function receipt(id: string, turn: TurnRow | undefined, text: string | undefined): Receipt {
  if (turn === undefined) return { messageId: id, state: "unknown" };
  const { state, reason, createdAt, endedAt } = turn;
  return {
    messageId: id,
    state,
    acceptedAt: createdAt,
    ...(reason === undefined ? {} : { reason }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(text === undefined ? {} : { text }),
  };
}

async function answerOf(store: Store, id: SessionId, { answerId, endedAt }: TurnRow): Promise<string | undefined> {
  if (answerId === undefined || endedAt === undefined) return undefined;
  const message = await store.readMessage(id, answerId);
  return message === undefined ? undefined : messageText(message);
}
