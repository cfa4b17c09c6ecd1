import type { SessionId, SessionMessage } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import type { Store } from "../storage/index.js";

/**
 * The messages of a page as an answer can hold them. One that no answer can hold keeps its id, role and times; a text in place
 * of its content states the size, so that a reader gets past it.
 */
export function deliverable(messages: readonly SessionMessage[], bytes: number): SessionMessage[] {
  return bytes <= SERVING_LIMITS.messageBytes ? [...messages] : messages.map(shortened);
}

function shortened(message: SessionMessage): SessionMessage {
  const bytes = Buffer.byteLength(JSON.stringify(message));
  if (bytes <= SERVING_LIMITS.messageBytes) return message;
  const { id, role, createdAt, updatedAt } = message;
  const text = `[This message has ${bytes} bytes; an answer holds ${SERVING_LIMITS.messageBytes} of one message.]`;
  return { id, role, content: [{ type: "text", text }], createdAt, updatedAt };
}

/**
 * The newest messages of a conversation, oldest first: as many as `snapshotBytes` hold, and the newest one alone up to
 * `newestBytes`. They are read in slices, and the loop serves others between two of them.
 */
export async function newestMessages(
  store: Pick<Store, "readMessages">,
  id: SessionId,
  limit: number,
): Promise<SessionMessage[]> {
  const { snapshotBytes, newestBytes, sliceBytes, sliceMessages } = SERVING_LIMITS;
  const pages: SessionMessage[][] = [];
  let count = 0;
  let bytes = 0;
  let cursor: string | undefined;
  while (count < limit) {
    const query = {
      limit: Math.min(sliceMessages, limit - count),
      maxBytes: Math.min(sliceBytes, snapshotBytes - bytes),
    };
    const page = await store.readMessages(id, { ...query, ...(cursor === undefined ? {} : { cursor }) });
    const most = count === 0 && page.messages.length === 1 ? newestBytes : snapshotBytes;
    if (bytes + page.bytes > most) break;
    pages.push(page.messages);
    count += page.messages.length;
    bytes += page.bytes;
    cursor = page.nextCursor;
    if (cursor === undefined || bytes >= snapshotBytes) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return pages.reverse().flat();
}
