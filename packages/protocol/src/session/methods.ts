import { CLIENT_LIMITS } from "../limits/index.js";
import type * as P from "./params/index.js";
import type * as R from "./requests.js";
import type { Open } from "./values.js";

// Facts of the wire: docs/wire/session.md#methods, docs/wire/session.md#time-outs

declare const types: unique symbol;

/**
 * A method of the session wire as one value: name, scope, time-out, and (as types) params and result. Schemas of both are in
 * `@daemon-sdk/protocol/schema`, under the same name.
 */
export interface Method<Params extends object, Result, Name extends string = string> {
  /** Name without its prefix: `daemon.` on sockets, `droid.` on an agent's stdio. */
  readonly name: Name;
  readonly direction: "to-daemon" | "to-client";
  /** `session` when `params.sessionId` names the session of the call. */
  readonly scope: "connection" | "session";
  readonly timeoutMs: number;
  /**
   * Whether a call without an answer may be repeated with the same params on a new link: the method only reads, or the daemon
   * acts on it once.
   */
  readonly isRepeatable: boolean;
  /** Types only; never set. */
  readonly [types]?: { params: Params; result: Result };
}

/** Type of a method's params. */
export type ParamsOf<M> = M extends Method<infer Params, unknown> ? Params : never;
/** Type of a method's result; unchecked until a schema has parsed it. */
export type ResultOf<M> = M extends Method<infer _Params, infer Result> ? Result : never;

interface MethodOptions {
  direction?: Method<object, unknown>["direction"];
  timeoutMs?: number;
  isRepeatable?: boolean;
}

function define<Name extends string>(name: Name, scope: "connection" | "session", options: MethodOptions = {}) {
  return <Params extends object, Result>(): Method<Params, Result, Name> => ({
    name,
    scope,
    direction: options.direction ?? "to-daemon",
    timeoutMs: options.timeoutMs ?? CLIENT_LIMITS.requestTimeoutMs,
    isRepeatable: options.isRepeatable ?? false,
  });
}

const again = { isRepeatable: true } as const;
const start = { timeoutMs: CLIENT_LIMITS.sessionStartTimeoutMs };
const toClient = { direction: "to-client", timeoutMs: 0 } as const;
const call = <Name extends string>(name: Name, options?: MethodOptions) => define(name, "session", options);
const connectionCall = <Name extends string>(name: Name, options?: MethodOptions) =>
  define(name, "connection", options);

/**
 * Methods this project uses. A time-out of 0 means none.
 *
 * @see https://github.com/daemon-sdk/daemon-sdk/blob/main/docs/wire/session.md#methods
 */
export const METHODS = {
  authenticate: connectionCall("authenticate")<P.AuthenticateParams, P.AuthenticateResult>(),
  logout: connectionCall("logout")<Record<string, never>, P.CommandAck>(),

  initializeSession: connectionCall("initialize_session", { ...start, ...again })<
    P.InitializeSessionParams,
    P.InitializeSessionResult
  >(),
  loadSession: call("load_session", { ...start, ...again })<P.LoadSessionParams, P.LoadSessionResult>(),
  closeSession: call("close_session", again)<P.SessionScoped & { reason?: string }, Record<string, unknown>>(),
  interruptSession: call("interrupt_session", again)<P.InterruptSessionParams, Record<string, unknown>>(),
  addUserMessage: call("add_user_message", again)<P.AddUserMessageParams, P.AddUserMessageResult>(),

  updateSessionSettings: call("update_session_settings", again)<P.SessionScoped & P.SettingsParams, P.CommandAck>(),
  renameSession: call("rename_session", again)<
    P.SessionScoped & { title: string },
    P.CommandAck & Partial<P.SuccessResult>
  >(),
  forkSession: call("fork_session")<P.ForkSessionParams, P.NewSessionResult>(),
  compactSession: call("compact_session", { timeoutMs: CLIENT_LIMITS.compactTimeoutMs })<
    P.SessionScoped & { customInstructions?: string },
    P.CompactSessionResult
  >(),
  getContextBreakdown: call("get_context_breakdown", again)<P.SessionScoped, P.ContextBreakdownResult>(),
  getRewindInfo: call("get_rewind_info", { ...start, ...again })<
    P.SessionScoped & { messageId: string },
    P.RewindInfoResult
  >(),
  executeRewind: call("execute_rewind", start)<P.ExecuteRewindParams, P.ExecuteRewindResult>(),

  addMcpServer: call("add_mcp_server")<P.AddMcpServerParams, P.SuccessResult>(),
  removeMcpServer: call("remove_mcp_server")<P.McpServerParams & { settingsLevel: Open<"user"> }, P.SuccessResult>(),
  toggleMcpServer: call("toggle_mcp_server")<
    P.McpServerParams & { enabled: boolean; settingsLevel: Open<"user"> },
    P.SuccessResult
  >(),
  listMcpServers: call("list_mcp_servers", again)<P.SessionScoped, P.ListMcpServersResult>(),
  listMcpTools: call("list_mcp_tools", again)<P.SessionScoped, { tools: P.McpTool[] }>(),
  authenticateMcpServer: call("authenticate_mcp_server", { timeoutMs: CLIENT_LIMITS.mcpAuthTimeoutMs })<
    P.McpServerParams,
    P.SuccessResult
  >(),
  listSkills: call("list_skills", again)<P.SessionScoped, { skills: P.Skill[] }>(),

  listOpenedSessions: connectionCall("list_opened_sessions", again)<object, P.ListOpenedSessionsResult>(),
  listAvailableSessions: connectionCall("list_available_sessions", again)<
    P.ListAvailableSessionsParams,
    P.ListAvailableSessionsResult
  >(),
  searchSessions: connectionCall("search_sessions", again)<P.SearchSessionsParams, P.SearchSessionsResult>(),
  getSessionMessages: call("get_session_messages", again)<P.GetSessionMessagesParams, P.GetSessionMessagesResult>(),
  archiveSession: call("archive_session", again)<P.SessionScoped, P.ArchiveSessionResult>(),
  unarchiveSession: call("unarchive_session", again)<P.SessionScoped, P.SuccessResult>(),

  /** Ours: detaches this connection from the session, which continues (docs/protocol.md, "Detach"). */
  detachSession: call("detach_session", again)<P.SessionScoped, Record<string, unknown>>(),

  /** Ours: deletes a session with everything that the daemon has of it (docs/protocol.md, "Delete"). */
  deleteSession: call("delete_session", again)<P.DeleteSessionParams, Record<string, unknown>>(),

  /** Ours: attaches to a session at a known position (docs/protocol.md, "Resume"). */
  listFiles: call("list_files", again)<P.ListFilesParams, P.ListFilesResult>(),
  getGitDiff: call("get_git_diff", again)<P.GitDiffParams, P.GitDiffResult>(),
  getDefaultSettings: connectionCall("get_default_settings", again)<object, P.DefaultSettingsResult>(),
  listModels: connectionCall("list_models", again)<P.ListModelsParams, P.ListModelsResult>(),

  resumeSession: call("resume_session", { ...start, ...again })<P.ResumeSessionParams, P.ResumeSessionResult>(),
  /** Ours: attaches to a session at the end of its journal (docs/protocol.md, "Credit"). */
  followSession: call("follow_session", again)<P.FollowSessionParams, P.FollowSessionResult>(),
  /** Ours: the receipts of messages (docs/protocol.md, "Receipts"). */
  getReceipts: call("get_receipts", again)<P.GetReceiptsParams, P.GetReceiptsResult>(),
  /** Ours: the events of one turn again (docs/protocol.md, "A message that is known"). */
  getTurnEvents: call("get_turn_events", again)<P.GetTurnEventsParams, P.GetTurnEventsResult>(),
  /** Ours: the events of all turns, replayed and live (docs/protocol.md, "Follow"). */
  getSessionEvents: call("get_session_events", { ...start, ...again })<
    P.GetSessionEventsParams,
    P.GetSessionEventsResult
  >(),
  /** Ours: the inbox of all sessions (docs/protocol.md, "Inbox"). */
  listRequests: connectionCall("list_requests", again)<P.ListRequestsParams, P.ListRequestsResult>(),
  /** Ours: answers a request of any session. Fails when the request is no longer pending. */
  answerRequest: connectionCall("answer_request", again)<P.AnswerRequestParams, Record<string, unknown>>(),
  /** Ours: checks that the daemon's event loop runs (docs/protocol.md, "Life"). */
  ping: connectionCall("ping", { timeoutMs: CLIENT_LIMITS.pingTimeoutMs })<
    Record<string, never>,
    Record<string, unknown>
  >(),
  /** Ours: a credential for a page (docs/protocol.md, "Tickets"). */
  createTicket: connectionCall("create_ticket")<Record<string, never>, P.CreateTicketResult>(),
  /** Ours: serves the console, and makes a link to it (docs/protocol.md, "Console"). */
  openConsole: connectionCall("open_console")<Record<string, never>, P.OpenConsoleResult>(),
  /** Ours: takes over a changed configuration (docs/protocol.md, "Configuration"). */
  reloadConfiguration: connectionCall("reload_configuration", again)<
    P.ReloadConfigurationParams,
    P.ReloadConfigurationResult
  >(),
  /** Ours: what the daemon counts, and its last hour (docs/protocol.md, "Metrics"). */
  getMetrics: connectionCall("get_metrics", again)<Record<string, never>, P.GetMetricsResult>(),

  requestPermission: call("request_permission", toClient)<R.RequestPermissionParams, R.RequestPermissionResult>(),
  askUser: call("ask_user", toClient)<R.AskUserParams, R.AskUserResult>(),
} as const;

/** Any method of the table. */
export type KnownMethod = (typeof METHODS)[keyof typeof METHODS];

/** The method of that wire name (without prefix), or undefined. */
export function methodNamed(name: string): KnownMethod | undefined {
  return METHODS_BY_NAME.get(name);
}

// A pure call: otherwise the bundle of a page would contain the map.
const METHODS_BY_NAME = /* @__PURE__ */ (() =>
  new Map<string, KnownMethod>(Object.values(METHODS).map((method) => [method.name, method])))();
