import type {
  McpServerConfig,
  MessageId,
  MessageState,
  Position,
  SessionId,
  SessionMessage,
  SessionSettings,
  SessionTag,
  TokenUsage,
  TraceContext,
} from "@daemon-sdk/protocol";
import type { RelayStore, RelayWrite } from "./relay/index.js";
import type { StoredBytes } from "./stored-bytes.js";

/** Row of a session, open or not. Times in ms since the epoch. */
export interface SessionRow {
  readonly id: SessionId;
  /** Id of the configured key that owns the session; undefined for the person. Never changes. */
  readonly owner: string | undefined;
  /** The agent's own id of the conversation; undefined until an agent has opened it. */
  readonly agentSessionId: string | undefined;
  /** Name of the configured agent. */
  readonly agent: string;
  readonly cwd: string;
  readonly title: string | undefined;
  readonly settings: SessionSettings;
  /** Names of those settings that a client asked for; an agent is asked for no others. Absent in rows of older daemons. */
  readonly askedSettings?: readonly string[] | undefined;
  /** Params of `initialize_session` that only the agent knows. */
  readonly agentParams?: Readonly<Record<string, unknown>> | undefined;
  /** Names of variables that the session was made with. The values are never stored. */
  readonly envNames?: readonly string[] | undefined;
  /** MCP servers that the agent starts with, their secrets included. */
  readonly mcpServers?: readonly McpServerConfig[] | undefined;
  readonly tags: readonly SessionTag[];
  readonly tokenUsage: TokenUsage | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly archivedAt: number | undefined;
  /** Set when a part of it was lost with the pages of a damaged store; the next client that attaches is notified. */
  readonly damagedAt?: number | undefined;
  /** Set while the session is closed. A load reopens it. Absent in rows of older daemons. */
  readonly closedAt?: number | undefined;
  /** Set while the session is frozen, because it moves to another machine. */
  readonly leaving?: SessionLeave | undefined;
  /** The move that brought the session to this machine; absent for one that was made here. */
  readonly arrivedBy?: string | undefined;
}

/** A move that takes a session away from this machine, to the machine `to`. */
export interface SessionLeave {
  readonly moveId: string;
  readonly to: string;
  /** Epoch of the positions that clients get while the session is frozen. The other machine continues under a larger one. */
  readonly epoch: number;
}

/** How much of a session that comes from another machine is stored. */
export interface SessionArrival {
  readonly moveId: string;
  /** Where the next piece begins; undefined once everything is stored. */
  readonly cursor?: string | undefined;
  /** Wall clock of the last piece. */
  readonly at: number;
}

/** A session that no read finds, because another machine has it. */
export type MovingSession =
  /** It is being copied to this machine. */
  | { readonly state: "arriving"; readonly row: SessionRow; readonly arrival: SessionArrival }
  /** It was moved away. */
  | { readonly state: "moved"; readonly mark: MovedMark };

/** What a machine keeps of a session that it gave to another one, `to`. */
export interface MovedMark {
  readonly sessionId: SessionId;
  /** As of {@link SessionRow.owner}. */
  readonly owner: string | undefined;
  readonly moveId: string;
  readonly to: string;
  readonly movedAt: number;
}

/** State of an accepted message (docs/protocol.md §7, "Receipts"). */
export type StoredMessageState = Exclude<MessageState, "unknown">;

/** A user message and the turn it starts. `ordinal` is its place in the session's queue. */
export interface TurnRow {
  readonly sessionId: SessionId;
  readonly id: MessageId;
  readonly ordinal: number;
  readonly state: StoredMessageState;
  /** Bytes of the prompt, which is read alone ({@link Store.readPrompt}). */
  readonly promptBytes: number;
  /** SHA-256 of a prompt that is stored in parts ({@link Store.readPromptParts}); {@link Store.readPrompt} has its outline. */
  readonly promptDigest?: string | undefined;
  /** The trace of its client; absent where that named none. */
  readonly trace?: TraceContext | undefined;
  /** JSON-RPC id of the request that brought it; `create_message` carries it as `requestId`. */
  readonly requestId: string;
  readonly reason: string | undefined;
  readonly createdAt: number;
  readonly endedAt: number | undefined;
  /** Id of the last message of the assistant in this turn that holds text: the answer. */
  readonly answerId?: string | undefined;
  /** First and last entry of the journal that belong to the turn; absent until it begins and ends, and in rows of older daemons. */
  readonly firstSeq?: number | undefined;
  readonly lastSeq?: number | undefined;
  /** What the turn used; absent when its agent reported nothing. */
  readonly tokenUsage?: TokenUsage | undefined;
}

/** A permission or ask-user request of an agent. Pending until `outcome` is set. */
export interface PendingRequestRow {
  readonly id: string;
  readonly sessionId: SessionId;
  readonly turnId: MessageId | undefined;
  readonly method: "request_permission" | "ask_user";
  /** JSON of the params, with the session's id in it. */
  readonly params: string;
  /** JSON of the accepted result, or of the reason of the close. */
  readonly outcome: string | undefined;
  readonly createdAt: number;
  /** When the request is closed without an answer; undefined when it stays pending until its turn ends. */
  readonly deadlineAt?: number | undefined;
  readonly resolvedAt: number | undefined;
  /** Principal that answered; undefined for a request that was closed without an answer. */
  readonly answeredBy?: string | undefined;
}

/** Entries of a journal that are committed together: texts without newlines, of notifications or of frames (`entry-frames.ts`). */
export interface SegmentRow {
  readonly sessionId: SessionId;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly entries: readonly string[];
  readonly createdAt: number;
}

/** A child process that must not outlive its daemon. `startTime` distinguishes it from a later process of the same pid. */
export interface AgentProcessRow {
  readonly pid: number;
  readonly startTime: string;
  readonly sessionId: SessionId;
  readonly instanceId: string;
}

/**
 * One change. A commit applies all of its changes, or none.
 *
 * `session`, `message`, `turn`, `request` and `agentProcess` replace the row of the same key. `pruneJournal` drops whole
 * segments that end before `beforeSeq`; the newest segment always stays, because it holds the last position.
 */
export type StoreWrite =
  | { readonly kind: "session"; readonly row: SessionRow }
  /** Makes a session that no read finds until it is written as `session`; its messages are kept as those of any other. */
  | { readonly kind: "draft"; readonly row: SessionRow }
  /** Makes, or changes, a session that comes from another machine; no read but {@link Store.readMoving} finds it until it is written as `session`. */
  | { readonly kind: "arriving"; readonly row: SessionRow; readonly arrival: SessionArrival }
  /** Replaces a session by the mark that it was moved away. Its rows are dropped as those of a draft are; the mark stays until `forgetMoved`. */
  | { readonly kind: "moved"; readonly mark: MovedMark }
  /** Drops the mark of a session that was moved away before that time (ms). */
  | { readonly kind: "forgetMoved"; readonly before: number }
  /** The next start's epoch is larger than this one, too. */
  | { readonly kind: "raiseEpoch"; readonly epoch: number }
  /** Makes a session a draft again, with everything it has: no read finds it from then on. */
  | { readonly kind: "deleteSession"; readonly sessionId: SessionId }
  /** Drops so many rows of a draft, of whatever kind, and the draft once it has none. */
  | { readonly kind: "dropDraft"; readonly sessionId: SessionId; readonly rows: number }
  | { readonly kind: "segment"; readonly row: SegmentRow }
  | { readonly kind: "message"; readonly sessionId: SessionId; readonly message: SessionMessage }
  | { readonly kind: "retractMessage"; readonly sessionId: SessionId; readonly messageId: string }
  | {
      readonly kind: "turn";
      readonly row: TurnRow;
      /** JSON of the `add_user_message` params; given once, when the message is accepted, and kept. */
      readonly prompt?: string;
    }
  /** A part of a large prompt, counted from 0: JSON in UTF-8. Stored before the turn; the first one drops older ones of that id. */
  | {
      readonly kind: "promptPart";
      readonly sessionId: SessionId;
      readonly id: MessageId;
      readonly part: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "request"; readonly row: PendingRequestRow }
  | { readonly kind: "agentProcess"; readonly row: AgentProcessRow }
  | { readonly kind: "agentProcessGone"; readonly pid: number }
  | { readonly kind: "pruneJournal"; readonly sessionId: SessionId; readonly beforeSeq: number }
  | RelayWrite;

/** Entries of one epoch, the first one at `firstSeq`. Empty, of epoch 0, when the store holds nothing at or after that position. */
export interface EntryRun {
  readonly firstSeq: number;
  readonly epoch: number;
  readonly entries: readonly string[];
}

/** First and last position of a session's journal. `firstSeq > lastSeq` when it is empty. */
export interface JournalBounds {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastPosition: Position | undefined;
}

/** Which sessions to list. */
export interface SessionPageQuery {
  readonly limit: number;
  /** Only sessions updated before this time (ms). */
  readonly updatedBefore?: number;
  /** Only those of this configured key, by its id; default all. */
  readonly owner?: string | undefined;
}

/** Which sessions to read from the oldest on. */
export interface OldestQuery {
  /** Archived ones, by the time at which they were archived; else all, by their last update. */
  readonly archived: boolean;
  /** Only those before this time (ms); default all. */
  readonly before?: number;
  /** Only those of this configured key; default of anybody. */
  readonly owner?: string;
  /** Only those behind this one. */
  readonly after?: { readonly at: number; readonly id: SessionId };
  readonly limit?: number;
}

/** Which messages of a session to read; `cursor` as the page before gave it. */
export interface MessagePageQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly role?: string;
  /** The page ends before the message that would exceed this; it holds at least one message. Default: no such bound. */
  readonly maxBytes?: number;
}

/** A page of messages, oldest first. */
export interface MessageRun {
  readonly messages: SessionMessage[];
  /** Bytes of the JSON of its messages. */
  readonly bytes: number;
  /** The `cursor` of the next older page; absent when there is none. */
  readonly nextCursor?: string;
}

/** Which messages of a session to read from the oldest on. */
export interface MessageRunQuery {
  /** Only those with larger numbers. */
  readonly after: number;
  readonly limit: number;
  /** The run ends before the message that would exceed this; it holds at least one message. */
  readonly maxBytes: number;
}

/** Messages in order, each with its number. */
export interface NumberedMessages {
  readonly messages: readonly { readonly no: number; readonly message: SessionMessage }[];
  /** Number of the last one; that of the query when there is none. */
  readonly lastNo: number;
}

/** A message that an index has to look at, as it is now. */
export interface MessageChange {
  /** Its number: larger than those of all messages before it, and never another message's. */
  readonly no: number;
  readonly sessionId: SessionId;
  /** As of {@link SessionRow.owner}. */
  readonly owner: string | undefined;
  /** Its JSON in UTF-8; undefined: it is gone. */
  readonly body: Uint8Array | undefined;
}

/** Some changed messages, each once. `through` is the place after which one goes on; `isPart`: there may be more. */
export interface ChangeSlice extends Readonly<{ through: number; isPart: boolean }> {
  readonly changes: readonly MessageChange[];
}

/** Which messages a feed tells of: other ones when `id` is another. */
export interface MessageSource {
  readonly id: number;
  /** The largest number that was given out. */
  readonly lastNo: number;
  /** Number of the newest message; 0 when there is none. */
  readonly newestNo: number;
}

/**
 * What changes in the conversations, for the one index that follows them. A change is noted in the transaction that makes
 * it and stays until it is forgotten, across restarts; the same message may come more than once.
 */
export interface MessageFeed {
  /** Called after a commit that changed messages. */
  onChange: (() => void) | undefined;
  source(): MessageSource;
  /** The oldest changes that were not forgotten; undefined when there are none. */
  changes(): ChangeSlice | undefined;
  /** Forgets changes up to the `through` of a slice. */
  forget(through: number): void;
  /** The messages after the one of this number, for an index that begins; undefined when there are none. */
  messagesAfter(no: number): ChangeSlice | undefined;
}

/** Size and age of one stored segment, without its entries: what pruning decides by. */
export interface SegmentInfo {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Bytes of UTF-8 that its entries take. */
  readonly bytes: number;
  readonly createdAt: number;
}

/**
 * Where the daemon keeps what must survive it: journals, conversations, turns, pending requests, children, mailboxes.
 *
 * The contract assumes neither one machine nor a file path; every answer is a promise. Two laws:
 * - a commit that resolved survives the death of this process;
 * - commits are atomic, and applied in the order they were asked for.
 */
export interface Store extends RelayStore {
  /** Of a store with more messages than one can look through: without it, a search reads them all. */
  readonly messageFeed?: MessageFeed;
  /** Of a store that counts: without it, no quota of bytes holds. */
  readonly storedBytes?: StoredBytes;
  /** Opens, takes over from the last owner, and returns this start's epoch: larger than every one before, durably. */
  open(): Promise<{ epoch: number }>;
  close(): Promise<void>;
  /**
   * Gives room that deleted rows have left back to the disk, a slice of it. Resolves to whether there may be more. Absent: there is
   * nothing to give back.
   */
  shrink?(): Promise<boolean>;
  /** Bytes that everything takes; absent for a store that takes none of the disk. */
  usedBytes?(): Promise<number>;
  commit(writes: readonly StoreWrite[]): Promise<void>;

  readSession(id: SessionId): Promise<SessionRow | undefined>;
  /** Newest first. A page runs over `limit` by the rows of its last millisecond, so that paging by time loses none. */
  listSessions(query: SessionPageQuery): Promise<readonly (SessionRow & { messagesCount: number })[]>;
  /** Oldest first; at most `limit`, default 64. */
  oldestSessions(query: OldestQuery): Promise<readonly SessionRow[]>;
  /** How many sessions belong to a configured key. */
  countSessions(owner: string): Promise<number>;
  /** Oldest first within the page; pages run from the newest backwards. */
  readMessages(id: SessionId, query: MessagePageQuery): Promise<MessageRun>;
  readMessage(id: SessionId, messageId: string): Promise<SessionMessage | undefined>;
  /** Messages from that one on, oldest first: about `maxBytes` of them, at least one when there is one. */
  readMessagesFrom(id: SessionId, messageId: string, maxBytes: number): Promise<readonly SessionMessage[]>;
  /** Messages after one, oldest first. */
  readMessageRun(id: SessionId, query: MessageRunQuery): Promise<NumberedMessages>;
  /** Number of the session's newest message; 0 when it has none. */
  newestMessage(id: SessionId): Promise<number>;
  /** Sessions that are being copied within this machine, deleted, or dropped after a move, or that an earlier daemon left so. */
  drafts(): Promise<readonly SessionId[]>;
  /** A session that is on its way to this machine, or was moved to another one. */
  readMoving(id: SessionId): Promise<MovingSession | undefined>;
  /** Sessions that are on their way to this machine. */
  arrivingSessions(): Promise<readonly SessionId[]>;
  countMessages(id: SessionId): Promise<number>;

  journalBounds(id: SessionId): Promise<JournalBounds>;
  /**
   * Entries from `fromSeq` on, at most about `maxBytes`, at least one when there is one. A run ends where the epoch changes.
   *
   * @param maxEntries about as many the caller can use; a store may return more. Default: as many as `maxBytes` allows
   */
  readEntries(id: SessionId, fromSeq: number, maxBytes: number, maxEntries?: number): Promise<EntryRun>;
  /** Stored segments that end before a position, newest first, at most so many. */
  journalSegments(id: SessionId, beforeSeq: number, limit: number): Promise<readonly SegmentInfo[]>;

  readTurn(sessionId: SessionId, id: MessageId): Promise<TurnRow | undefined>;
  /** The prompt of a turn, to send it to an agent and to compare a repeated id with; undefined when there is none. */
  readPrompt(sessionId: SessionId, id: MessageId): Promise<string | undefined>;
  /** The parts of a large prompt, in order; empty when it has none. */
  readPromptParts(sessionId: SessionId, id: MessageId): Promise<readonly Uint8Array[]>;
  /** Turns that have not ended, of one session or of all, by ordinal; of no session that only {@link readMoving} finds. */
  openTurns(sessionId?: SessionId): Promise<readonly TurnRow[]>;
  /** Turns below an ordinal, the newest first, at most so many. */
  turnsBelow(sessionId: SessionId, ordinal: number, limit: number): Promise<readonly TurnRow[]>;
  lastTurnOrdinal(sessionId: SessionId): Promise<number>;
  readRequest(id: string): Promise<PendingRequestRow | undefined>;
  /** All requests of a session, with and without an outcome, oldest first. */
  requestsOf(sessionId: SessionId): Promise<readonly PendingRequestRow[]>;
  /** Requests without an outcome, oldest first, of one session or of all. */
  pendingRequests(sessionId?: SessionId): Promise<readonly PendingRequestRow[]>;
  agentProcesses(): Promise<readonly AgentProcessRow[]>;
}
