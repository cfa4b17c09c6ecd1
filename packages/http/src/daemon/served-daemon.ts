import type {
  AskUserReply,
  AvailableSession,
  DaemonSession,
  DaemonSessionOptions,
  PermissionAnswer,
} from "@daemon-sdk/client";
import type { InboxRequest, SearchSessionsParams } from "@daemon-sdk/protocol";
import { HttpRefusal } from "../problem/index.js";
import type { HttpDaemon } from "./http-daemon.js";
import type { HttpMachine } from "./http-fleet.js";

/** Options of a new session, and the labels that its machine must have. */
export interface NewSessionOptions extends DaemonSessionOptions {
  readonly labels?: Readonly<Record<string, string>>;
}

/** A machine of a fleet that has no part in an answer, and why. */
export interface MissingMachine {
  readonly machineId: string;
  readonly code: string;
  readonly detail: string;
}

/** An answer of a fleet names the machines that have no part in it; one of a single daemon has no such field. */
export interface PartialAnswer {
  readonly missing?: readonly MissingMachine[];
}

/** A page of sessions. */
export interface SessionsAnswer extends PartialAnswer {
  readonly sessions: readonly AvailableSession[];
  readonly hasMore: boolean;
  readonly nextCursor?: number;
}

/** What routes are served from: one daemon, or all machines of a fleet. */
export interface ServedDaemon {
  /** Makes calls for a session on the daemon that has it. They are repeated elsewhere after SESSION_NOT_FOUND. */
  onSession<Result>(sessionId: string, call: (daemon: HttpDaemon) => Promise<Result>): Promise<Result>;
  createSession(options: NewSessionOptions): Promise<DaemonSession>;
  listSessions(options: { limit?: number; endBefore?: number }): Promise<SessionsAnswer>;
  listRequests(query: { sessionId?: string }): Promise<PartialAnswer & { readonly requests: readonly InboxRequest[] }>;
  answerRequest(requestId: string, answer: PermissionAnswer | AskUserReply): Promise<void>;
  searchSessions(search: SearchSessionsParams): Promise<object>;
  /** Throws METHOD_NOT_FOUND where there is one daemon and no fleet. */
  machines(): readonly HttpMachine[];
}

/** One daemon behind the gateway. */
export function servedDaemon(daemon: HttpDaemon): ServedDaemon {
  return {
    onSession: (_, call) => call(daemon),
    async createSession({ labels, ...options }) {
      if (labels === undefined) return daemon.createSession(options);
      const text = "body field `labels`: only a fleet has machines with labels, and this gateway serves one daemon.";
      throw new HttpRefusal(400, "INVALID_PARAMS", text);
    },
    listSessions: (options) => daemon.listAvailableSessions(options),
    listRequests: async (query) => ({ requests: await daemon.listRequests(query) }),
    answerRequest: (requestId, answer) => daemon.answerRequest(requestId, answer),
    searchSessions: (search) => daemon.searchSessions(search),
    machines() {
      throw new HttpRefusal(501, "METHOD_NOT_FOUND", "This gateway serves one daemon, and no fleet of machines.");
    },
  };
}
