import type { LoadSessionResult, Position, ResumeSessionResult } from "@daemon-sdk/protocol";
import type { Inbox } from "../inbox/index.js";
import { SERVING_LIMITS } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import { readPrompt, type TurnQueue } from "../turns/index.js";
import { newestMessages } from "./deliverable.js";
import type { Session } from "./session.js";

/** Which messages a snapshot contains. */
export interface SnapshotOptions {
  /** Newest messages only; default as many as `SERVING_LIMITS.snapshotBytes` hold. */
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
  inbox: Pick<Inbox, "find">,
  options: SnapshotOptions = {},
): Promise<Snapshot> {
  const { row, turns, log } = session;
  const { epoch, committedSeq } = log;
  const { title, settings, cwd, tokenUsage } = row;
  // Before the messages are read, which takes several turns of the loop: the position, the state and the queue belong together.
  const atPosition = {
    settings,
    cwd,
    ...(session.availableModels === undefined ? {} : { availableModels: [...session.availableModels] }),
    ...stateOf(session, inbox),
    queuedMessages: await queuedMessages(store, turns.waiting, SERVING_LIMITS.listedPromptBytes),
    ...(tokenUsage === undefined ? {} : { tokenUsage }),
    position: { epoch, seq: committedSeq },
  };
  const messages = await newestMessages(store, session.id, options.messageLimit ?? Number.POSITIVE_INFINITY);
  return { ...atPosition, session: { messages, ...(title === undefined ? {} : { title }) } };
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

/**
 * Prompts that wait, as a snapshot lists them. Each is listed: one that does not fit into `maxBytes` keeps its ids, and its text
 * is its size.
 */
async function queuedMessages(
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
