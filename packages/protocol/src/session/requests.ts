import type { Open, ToolUseBlock } from "./values.js";

// Facts of the wire: docs/wire/session.md#permission-requests, docs/wire/session.md#questions-to-the-user

/** Answers to a permission request. Choose among the request's own `options`. */
export const PERMISSION_OPTIONS = [
  "proceed_once",
  "proceed_always",
  "proceed_always_file",
  "proceed_auto_run",
  "proceed_auto_run_low",
  "proceed_auto_run_medium",
  "proceed_auto_run_high",
  "proceed_new_session",
  "proceed_new_session_low",
  "proceed_new_session_medium",
  "proceed_new_session_high",
  "proceed_edit",
  "proceed_always_tools",
  "proceed_always_server",
  "cancel",
] as const;

/** One of {@link PERMISSION_OPTIONS}, or an option of a newer peer. */
export type PermissionOption = Open<(typeof PERMISSION_OPTIONS)[number]>;

/** The action of one tool use of a permission request; `type` equals the confirmation type. */
export interface ConfirmationDetails {
  type: Open<
    | "edit"
    | "create"
    | "apply_patch"
    | "exec"
    | "mcp_tool"
    | "ask_user"
    | "exit_spec_mode"
    | "propose_mission"
    | "start_mission_run"
    | "sandbox_violation"
  >;
  [key: string]: unknown;
}

/** One tool use that waits for permission. */
export interface PermissionToolUse {
  toolUse: ToolUseBlock;
  confirmationType: string;
  details: ConfirmationDetails;
}

/**
 * Params of the server request `request_permission`. One answer covers all tool uses.
 *
 * An agent on stdio omits `sessionId`; the daemon adds it.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#permission-requests
 */
export interface RequestPermissionParams {
  sessionId: string;
  toolUses: PermissionToolUse[];
  options: { label: string; value: PermissionOption }[];
  associatedSessionIds?: string[];
}

/** Result of `request_permission`. `editedSpecContent` is required with `proceed_edit`. */
export interface RequestPermissionResult {
  selectedOption: PermissionOption;
  comment?: string;
  editedSpecContent?: string;
  sessionId?: string;
}

/** One question of the agent, with suggested answers. */
export interface AskUserQuestion {
  /** From 1. */
  index: number;
  topic: string;
  question: string;
  options: string[];
}

/** Params of the server request `ask_user`. An agent on stdio omits `sessionId`; the daemon adds it. */
export interface AskUserParams {
  sessionId: string;
  toolCallId: string;
  questions: AskUserQuestion[];
}

/** The answer to the question of that `index`; free text, or one of its options. */
export interface AskUserAnswer {
  index: number;
  question: string;
  answer: string;
}

/** Result of `ask_user`. With answers as bare strings, a turn of a real daemon never ends. */
export interface AskUserResult {
  cancelled?: boolean;
  answers: AskUserAnswer[];
  sessionId?: string;
}

/** A permission request that waits for an answer, as `load_session` lists it. */
export interface PendingPermission {
  requestId: string;
  /** Ours: when it is closed without an answer, in ms since the epoch. */
  deadlineAt?: number;
  toolUses: PermissionToolUse[];
  options: { label: string; value: PermissionOption }[];
  associatedSessionIds?: string[];
}

/** An ask-user request that waits for an answer, as `load_session` lists it. */
export interface PendingAskUser {
  requestId: string;
  /** Ours: when it is closed without an answer, in ms since the epoch. */
  deadlineAt?: number;
  toolCallId: string;
  questions: AskUserQuestion[];
}
