import {
  LIMITS,
  type LoadSessionResult,
  type Position,
  type ResumeSessionResult,
  type SessionMessage,
} from "@daemon-sdk/protocol";
import type { Inbox } from "../inbox/index.js";
import { SERVING_LIMITS } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import { queuedMessages } from "./queued-messages.js";
import type { Session } from "./session.js";

/** Which messages a snapshot contains. */
export interface SnapshotOptions {
  /** Newest messages only; default all that fit into an answer. */
  readonly messageLimit?: number | undefined;
}

/** A session at one position of its journal. */
export type Snapshot = LoadSessionResult & { readonly position: Position };

/**
 * The session at its last committed entry (docs/wire/session.md#load-of-a-session).
 *
 * Call it between two transactions (`Committer.between`), so that the rows and the position belong together. Of a conversation
 * that is too long for one answer the oldest messages are omitted; `get_session_messages` returns them.
 */
export async function takeSnapshot(
  session: Session,
  store: Store,
  epoch: number,
  inbox: Pick<Inbox, "find">,
  options: SnapshotOptions = {},
): Promise<Snapshot> {
  const { row, turns, log } = session;
  const { committedSeq } = log;
  const messages = await newestMessages(store, session, options.messageLimit ?? Number.POSITIVE_INFINITY);
  return {
    session: { messages, ...(row.title === undefined ? {} : { title: row.title }) },
    settings: row.settings,
    cwd: row.cwd,
    ...(session.availableModels === undefined ? {} : { availableModels: [...session.availableModels] }),
    ...stateOf(session, inbox),
    queuedMessages: await queuedMessages(store, turns.waiting, SERVING_LIMITS.queuedBytes),
    ...(row.tokenUsage === undefined ? {} : { tokenUsage: row.tokenUsage }),
    position: { epoch, seq: committedSeq },
  };
}

/** The session's working state and pending requests at its last committed entry. */
export function stateOf({ log, turns }: Session, inbox: Pick<Inbox, "find">): Omit<ResumeSessionResult, "position"> {
  const { workingState, pendingPermissions, pendingAskUserRequests } = log.state.snapshot();
  // A request whose entry is not committed yet is delivered by the cursor.
  const isCommitted = ({ requestId }: { requestId: string }) => {
    const pending = inbox.find(requestId);
    return pending !== undefined && pending.seq <= log.committedSeq;
  };
  return {
    workingState,
    isAgentLoopInProgress: turns.active !== undefined,
    pendingPermissions: pendingPermissions.filter(isCommitted),
    pendingAskUserRequests: pendingAskUserRequests.filter(isCommitted),
  };
}

async function newestMessages(store: Store, session: Session, limit: number): Promise<SessionMessage[]> {
  const pages: SessionMessage[][] = [];
  let cursor: string | undefined;
  let count = 0;
  let bytes = 0;
  do {
    const size = Math.min(LIMITS.messagePageMax, limit - count);
    if (size <= 0) break;
    const page = await store.readMessages(session.id, { limit: size, ...(cursor === undefined ? {} : { cursor }) });
    const kept = fitting(page.messages, SERVING_LIMITS.answerBytes - bytes);
    pages.push(kept.messages);
    count += kept.messages.length;
    bytes += kept.bytes;
    cursor = kept.messages.length === page.messages.length ? page.nextCursor : undefined;
  } while (cursor !== undefined);
  return pages.reverse().flat();
}

/** The newest of these messages that fit into `maxBytes`. */
export function fitting(
  messages: readonly SessionMessage[],
  maxBytes: number,
): { messages: SessionMessage[]; bytes: number } {
  let bytes = 0;
  let from = messages.length;
  for (const [index, message] of [...messages.entries()].reverse()) {
    const size = Buffer.byteLength(JSON.stringify(message));
    if (bytes + size > maxBytes) break;
    bytes += size;
    from = index;
  }
  return { messages: messages.slice(from), bytes };
}
