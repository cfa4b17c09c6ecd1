import type { LoadSessionResult } from "@daemon-sdk/protocol";
import type { Store } from "../storage/index.js";
import { readPrompt, type TurnQueue } from "../turns/index.js";

/**
 * Prompts that wait, as a snapshot lists them. Each is listed: one that does not fit into `maxBytes` keeps its ids, and its text
 * is its size.
 */
export async function queuedMessages(
  store: Pick<Store, "readPrompt" | "readPromptParts">,
  waiting: TurnQueue["waiting"],
  maxBytes: number,
): Promise<NonNullable<LoadSessionResult["queuedMessages"]>> {
  const messages: NonNullable<LoadSessionResult["queuedMessages"]> = [];
  let room = maxBytes;
  for (const { row } of [...waiting]) {
    const { sessionId, id, requestId, promptBytes } = row;
    room -= promptBytes;
    const prompt = room < 0 ? undefined : await readPrompt(store, row).catch(() => undefined);
    if (prompt !== undefined) messages.push({ ...prompt, requestId });
    else messages.push({ sessionId, messageId: id, text: `[A message of ${promptBytes} bytes waits.]`, requestId });
  }
  return messages;
}
