import type { SessionNotification } from "../notifications.js";
import type {
  AskUserParams,
  AskUserResult,
  PendingAskUser,
  PendingPermission,
  RequestPermissionParams,
  RequestPermissionResult,
} from "../requests.js";
import type { MessageState, Open, Position, SessionMessage, TokenUsage, WorkingState } from "../values.js";
import type { SessionScoped } from "./scope.js";

/**
 * How many events, and bytes of their frames, the daemon may send until the client grants more (docs/protocol.md, "Credit").
 *
 * Server requests, and the end of a request, of a turn or of a session, cost no credit.
 */
export interface Credit {
  events: number;
  bytes: number;
  /** With `batches`: entries may be sent together, as `session_notifications`. Has no meaning in a grant. */
  batches?: true;
}

/**
 * Attaches to a session at the entry after `after`, without a snapshot. Fails with RESUME_TOO_OLD when the journal does not
 * have that position, or no longer has the entries after it.
 */
export interface ResumeSessionParams extends SessionScoped {
  after: Position;
  /** Default: without bound. */
  credit?: Credit;
}

/** The state at `position`, which is the journal's last entry. The entries up to `position` follow. */
export interface ResumeSessionResult {
  position: Position;
  workingState: Open<WorkingState>;
  isAgentLoopInProgress: boolean;
  pendingPermissions: PendingPermission[];
  pendingAskUserRequests: PendingAskUser[];
}

/** Params of `delete_session` (docs/protocol.md §6). */
export interface DeleteSessionParams extends SessionScoped {
  /** Ends a turn that runs or waits. Default false: the call is refused then, with SESSION_STATE. */
  force?: boolean;
}

/** Moves this connection's cursor to the end of the journal, with exactly this credit. */
export interface FollowSessionParams extends SessionScoped {
  credit: Credit;
}

/** Position of the cursor, and the state there. The next entry after that position is sent after this answer. */
export interface FollowSessionResult {
  position: Position;
  /** The working state at `position`. It shows a client that received no events whether its prompt will be queued. */
  workingState?: Open<WorkingState>;
  isAgentLoopInProgress?: boolean;
}

/** Adds to the credit of one session. A notification of the client, without an answer. */
export interface GrantCreditParams extends SessionScoped, Credit {}

/** Requests the receipts of messages; at most 100 in one call. */
export interface GetReceiptsParams extends SessionScoped {
  messageIds: string[];
  /**
   * With `sessionEvents`: the answer waits until every turn among them has ended, at most this many ms, and at most 60 000.
   * Default 0.
   */
  waitMs?: number;
}

/** State of one message. Times in ms since the epoch. */
export interface Receipt {
  messageId: string;
  state: Open<MessageState>;
  /** Reason of the turn's end, as in `agent_turn_completed`. */
  reason?: string;
  acceptedAt?: number;
  endedAt?: number;
  /** Text of the answer, as far as it is stored; present once the turn has ended. */
  text?: string;
  /** `seq` of the first entry of the turn; absent until the turn begins, and on daemons without `turnEvents`. */
  firstSeq?: number;
  /** `seq` of the last entry of the turn, once it has ended. */
  lastSeq?: number;
  /** What the turn used, once it has ended and its agent reported it. */
  tokenUsage?: TokenUsage;
}

/** Acknowledges a prompt: it is stored and will start one turn. */
export interface AddUserMessageResult {
  accepted?: boolean;
  /** With `turnEvents`, if the daemon already had a message of that id: its receipt so far, without `text`. */
  receipt?: Receipt;
}

/** Reads one page of the events of one message's turn. Moves no cursor and costs no credit. */
export interface GetTurnEventsParams extends SessionScoped {
  messageId: string;
  /** `nextSeq` of the previous page. Default: the turn's first entry. */
  fromSeq?: number;
}

/** One entry of a turn. */
export interface TurnEntry {
  /** With `seq`, the entry's position. Absent on older daemons. */
  epoch?: number;
  seq: number;
  notification: SessionNotification;
}

/** A page of one turn's entries, oldest first. */
export interface GetTurnEventsResult {
  receipt: Receipt;
  events: TurnEntry[];
  /** Start of the next page; absent when there are no further entries now. */
  nextSeq?: number;
  /** Messages of the turn from the conversation, instead of entries that the journal no longer has. */
  messages?: SessionMessage[];
}

/**
 * Reads the entries of a session's journal after a position, those of all turns, in pages. Attaches nothing, starts no agent, and
 * costs no credit.
 */
export interface GetSessionEventsParams extends SessionScoped {
  /** `position` of the previous page, or any position of the journal. Default: its end, which is answered at once. */
  after?: Position;
  /** How many ms the answer waits for an entry where there is none after `after`; at most 60 000. Default 0. */
  waitMs?: number;
  /** Whether requests of the agent are entries, too, as notifications `request_opened`. Default false. */
  includeRequests?: boolean;
  /** Whether the page may have its entries as {@link SessionEntryRun}s. Default false; older daemons do not know it. */
  runs?: boolean;
}

/** One entry of a session, with its position. */
export interface SessionEntry extends Position {
  /** `messageId` of the turn that the entry belongs to; absent between turns. */
  turnId?: string;
  notification: SessionNotification;
}

/** Entries of one turn, or of none, without what follows from their place: each has a `seq` that is larger by one. */
export interface SessionEntryRun extends Position {
  turnId?: string;
  notifications: SessionNotification[];
}

/** A page of a session's entries, oldest first. */
export interface GetSessionEventsResult {
  events: SessionEntry[];
  /** Instead of `events`, which are empty then: only where the call has `runs`. */
  runs?: SessionEntryRun[];
  /** Where the next page begins: the last entry that this page covers. */
  position: Position;
  /** Entries between `after` and this page are missing: the journal no longer has them, or never had that position. */
  isIncomplete?: true;
}

/** One receipt per id, in the order of the request; `unknown` for messages that the daemon never received. */
export interface GetReceiptsResult {
  receipts: Receipt[];
}

/** Which pending requests to list; default those of all sessions. */
export interface ListRequestsParams {
  sessionId?: string;
}

/** A request of an agent that waits for an answer. Times in ms since the epoch. */
export type InboxRequest = {
  requestId: string;
  sessionId: string;
  createdAt: number;
  /** When the request is closed without an answer; absent when it stays pending until its turn ends. */
  deadlineAt?: number;
} & ({ method: "request_permission"; params: RequestPermissionParams } | { method: "ask_user"; params: AskUserParams });

/** Pending requests, oldest first. */
export interface ListRequestsResult {
  requests: InboxRequest[];
}

/**
 * Answers a pending request of any session. Fails with REQUEST_NOT_PENDING when it was answered or closed, with
 * INVALID_PARAMS when the request does not offer that answer.
 */
export interface AnswerRequestParams {
  requestId: string;
  result: RequestPermissionResult | AskUserResult;
}

/** A credential that authenticates one connection, once, until `expiresAt` (ms since the epoch). */
export interface CreateTicketResult {
  ticket: string;
  expiresAt: number;
}

/** A link that opens the console in a browser, once, until `expiresAt` (ms since the epoch). Its fragment is a ticket. */
export interface OpenConsoleResult {
  url: string;
  expiresAt: number;
}

/** What a reload is to do. */
export interface ReloadConfigurationParams {
  /** States what a reload would change, and changes nothing. Default false. */
  check?: boolean;
}

/** What differs between the running daemon and its configuration, as dotted keys such as `limits.liveAgents`. */
export interface ReloadConfigurationResult {
  /** Keys that the daemon has taken over, or with `check` would take over. */
  applied: string[];
  /** Keys that hold from the daemon's next start on. */
  atNextStart: string[];
}
