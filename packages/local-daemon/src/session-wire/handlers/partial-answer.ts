import { isKnownNotification, type SessionNotification } from "@daemon-sdk/protocol";
import { isRequestFrame, notificationOf } from "../../journal/index.js";
import { SERVING_LIMITS } from "../../limits/index.js";
import type { TurnStore } from "../../sessions/index.js";
import type { TurnRow } from "../../storage/index.js";

/**
 * The text that a turn had when it ended without a message of the assistant: its agent died, or was stopped, while it wrote. The
 * text is in the entries of the turn, as far as the journal has them. Undefined where there was none.
 */
export async function partialAnswer(
  store: Pick<TurnStore, "readEntries">,
  { sessionId, firstSeq, lastSeq, answerId, state }: TurnRow,
): Promise<string | undefined> {
  if (answerId !== undefined || state === "completed") return undefined;
  if (firstSeq === undefined || lastSeq === undefined) return undefined;
  const texts = new Map<string, string>();
  let left: number = SERVING_LIMITS.answerBytes;
  for (let from = firstSeq; from <= lastSeq && left > 0; ) {
    const run = await store.readEntries(sessionId, from, SERVING_LIMITS.sliceBytes);
    if (run.entries.length === 0) break;
    for (const [index, entry] of run.entries.entries()) {
      left -= entry.length;
      if (run.firstSeq + index > lastSeq || left <= 0) break;
      if (!isRequestFrame(entry)) collect(notificationOf(entry), texts);
    }
    from = run.firstSeq + run.entries.length;
  }
  return [...texts.values()].join("") || undefined;
}

function collect(notification: SessionNotification, texts: Map<string, string>): void {
  if (!isKnownNotification(notification)) return;
  if (notification.type === "assistant_message_retracted") texts.delete(notification.messageId);
  if (notification.type !== "assistant_text_delta") return;
  const { messageId, textDelta } = notification;
  texts.set(messageId, (texts.get(messageId) ?? "") + textDelta);
}
