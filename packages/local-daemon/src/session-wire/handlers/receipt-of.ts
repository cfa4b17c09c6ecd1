import type { Receipt } from "@daemon-sdk/protocol";
import type { TurnRow } from "../../storage/index.js";

/** What is known of a message: its turn, and the text of the answer where that is told. */
export function receiptOf(id: string, turn: TurnRow | undefined, text?: string): Receipt {
  if (turn === undefined) return { messageId: id, state: "unknown" };
  const { state, reason, createdAt, endedAt, firstSeq, lastSeq, tokenUsage } = turn;
  return {
    messageId: id,
    state,
    acceptedAt: createdAt,
    ...(reason === undefined ? {} : { reason }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(text === undefined ? {} : { text }),
    ...(firstSeq === undefined ? {} : { firstSeq }),
    ...(lastSeq === undefined ? {} : { lastSeq }),
    ...(tokenUsage === undefined ? {} : { tokenUsage }),
  };
}
