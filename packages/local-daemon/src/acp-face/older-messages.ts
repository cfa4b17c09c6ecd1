import { type GetSessionMessagesResult, METHODS, type SessionMessage } from "@daemon-sdk/protocol";
import type { DaemonLink } from "./daemon-link.js";

/** Most messages that one page may be asked for (docs/wire/session.md#session-lists). */
const PAGE = 100;

/**
 * The messages of a conversation before one of them, oldest first. A snapshot holds the newest messages only, and an editor has no call
 * for the rest.
 *
 * Pages run from the newest message backwards. So their cursors are collected first, and each page is read again when the former one
 * was taken: an editor that does not read costs one page, whatever the size of the conversation.
 */
export async function* olderMessages(
  link: DaemonLink,
  sessionId: string,
  before: string | undefined,
): AsyncGenerator<SessionMessage> {
  if (before === undefined) return;
  const read = (cursor: string | undefined): Promise<GetSessionMessagesResult> =>
    link.request(METHODS.getSessionMessages, { sessionId, limit: PAGE, ...(cursor !== undefined && { cursor }) });
  for (const cursor of (await pagesBefore(read, before)).reverse()) {
    const { messages } = await read(cursor);
    for (const message of messages) {
      if (message.id === before) return;
      yield message;
    }
  }
}

/** Cursors of the pages that hold an older message, newest page first. The newest page of all has none. */
async function pagesBefore(
  read: (cursor: string | undefined) => Promise<GetSessionMessagesResult>,
  before: string,
): Promise<(string | undefined)[]> {
  const cursors: (string | undefined)[] = [];
  let isFound = false;
  let cursor: string | undefined;
  do {
    const { messages, nextCursor } = await read(cursor);
    const place = messages.findIndex(({ id }) => id === before);
    if (isFound || place > 0) cursors.push(cursor);
    isFound ||= place !== -1;
    cursor = nextCursor;
  } while (cursor !== undefined);
  return cursors;
}
