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
 * How many events, and bytes of their frames, the daemon may send before it is given more (docs/protocol.md, "Credit").
 *
 * What goes beside it costs none: server requests, the end of a request, of a turn and of a session.
 */
export interface Credit {
  events: number;
  bytes: number;
}

/**
 * Follows a session from the entry after `after`, without a snapshot. Fails with RESUME_TOO_OLD when the journal does not
 * have that position, or no longer has what came after it.
 */
export interface ResumeSessionParams extends SessionScoped {
  after: Position;
  /** Default: without bound. */
  credit?: Credit;
}

/** What the replay does not tell: the state at `position`, the last entry there is; the entries up to it follow. */
export interface ResumeSessionResult {
  position: Position;
  workingState: Open<WorkingState>;
  isAgentLoopInProgress: boolean;
  pendingPermissions: PendingPermission[];
  pendingAskUserRequests: PendingAskUser[];
}

/** Lets this connection's cursor go on at the end of the journal, with exactly this credit. */
export interface FollowSessionParams extends SessionScoped {
  credit: Credit;
}

/** Where the cursor stands, and the state there: the next entry that comes is the one after it, and after this answer. */
export interface FollowSessionResult {
  position: Position;
  /** What a client that takes no events does not hear: whether its prompt will wait behind another one. */
  workingState?: Open<WorkingState>;
  isAgentLoopInProgress?: boolean;
}

/** Adds to the credit of one session. A notification of the client: it is not answered. */
export interface GrantCreditParams extends SessionScoped, Credit {}

/** Asks what became of messages; at most 100 in one call. */
export interface GetReceiptsParams extends SessionScoped {
  messageIds: string[];
}

/** What became of one message. Times in ms since the epoch. */
export interface Receipt {
  messageId: string;
  state: Open<MessageState>;
  /** Reason of the turn's end, as `agent_turn_completed` told it. */
  reason?: string;
  acceptedAt?: number;
  endedAt?: number;
  /** Text of the answer, as far as it is kept; only once the turn has ended. */
  text?: string;
  /** `seq` of the first entry of the turn; absent until the turn begins, and on daemons without `turnEvents`. */
  firstSeq?: number;
  /** `seq` of the last entry of the turn, once it has ended. */
  lastSeq?: number;
  /** What the turn used, once it has ended and its agent reported it. */
  tokenUsage?: TokenUsage;
}

/** Acknowledges a prompt: stored, and acted on once. */
export interface AddUserMessageResult {
  accepted?: boolean;
  /** With `turnEvents`, when the daemon had a message of that id before: what became of it so far, without `text`. */
  receipt?: Receipt;
}

/** Reads the events of one message's turn again, a page at a time. It moves no cursor and costs no credit. */
export interface GetTurnEventsParams extends SessionScoped {
  messageId: string;
  /** `nextSeq` of the page before. Default: the turn's beginning. */
  fromSeq?: number;
}

/** One entry of a turn. */
export interface TurnEntry {
  seq: number;
  notification: SessionNotification;
}

/** A page of what happened in one turn, oldest first. */
export interface GetTurnEventsResult {
  receipt: Receipt;
  events: TurnEntry[];
  /** Where the next page begins; absent when these are all that there are now. */
  nextSeq?: number;
  /** Instead of events that the journal no longer has: the messages of the turn, as the conversation has them. */
  messages?: SessionMessage[];
}

/** One receipt for each id, in the order they were asked for; `unknown` for those that never came. */
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
  /** When it is closed without an answer; absent when it waits as long as its turn. */
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
