import type {
  AskUserAnswer,
  NoAnswer,
  PendingAskUser,
  PendingPermission,
  PermissionOption,
} from "@daemon-sdk/protocol";

/** A permission request as a handler gets it; also what `getPendingPermissionRequests()` lists. */
export interface PermissionRequest extends PendingPermission {
  sessionId: string;
}

/** A question to the user as a handler gets it; also what `getPendingAskUserRequests()` lists. */
export interface AskUserRequest extends PendingAskUser {
  sessionId: string;
}

/**
 * Answer to a permission request: one of the request's own `options`, alone or with further fields.
 *
 * `editedSpecContent` is required with `proceed_edit`.
 */
export type PermissionAnswer =
  | PermissionOption
  | { selectedOption: PermissionOption; comment?: string; editedSpecContent?: string };

/** Answer to a question: one entry per question, or `cancelled`. */
export interface AskUserReply {
  cancelled?: boolean;
  answers?: AskUserAnswer[];
}

/** What a handler gets beside the request. */
export interface HandlerContext {
  /** Aborted when the answer is no longer wanted: somebody else answered, the turn was interrupted, the session ended. */
  readonly signal: AbortSignal;
  /**
   * Whether the request may have been passed to a handler before: by a program that was attached to the session earlier, such as this
   * one before it was started again, or by another handle. Its `requestId` is the same then.
   */
  readonly isRepeat: boolean;
}

/**
 * Answers permission requests. One request may cover several tool uses; the answer is for all of them.
 *
 * There is no time-out. Return `NO_ANSWER` to keep the request pending and answer it later with
 * `session.respondToPermission()`. A handler that throws, or names an option the request does not offer, counts as cancel, and
 * `onError` gets the failure with the code HANDLER_FAILED.
 */
export type PermissionHandler = (
  request: PermissionRequest,
  context: HandlerContext,
) => PermissionAnswer | NoAnswer | Promise<PermissionAnswer | NoAnswer>;

/** Answers the agent's questions to the user; the same rules as for a {@link PermissionHandler}. */
export type AskUserHandler = (
  request: AskUserRequest,
  context: HandlerContext,
) => AskUserReply | NoAnswer | Promise<AskUserReply | NoAnswer>;

/** Handlers of a session, or of a connection for all sessions that have none of their own. */
export interface Handlers {
  /**
   * Without a handler, here and on the connection, requests stay pending on a daemon that keeps them (`capabilities.inbox`). On
   * any other daemon they are answered with cancel.
   */
  permissionHandler?: PermissionHandler;
  /** The same rule for the agent's questions. */
  askUserHandler?: AskUserHandler;
}
