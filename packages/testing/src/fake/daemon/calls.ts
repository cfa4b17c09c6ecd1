import { type Clock, RpcCode } from "@daemon-sdk/protocol";
import { requiredString, rpcFault } from "../wire/index.js";
import type { FakeLink } from "./link.js";
import type { FakeSession, FakeSessionHost, FakeSessionOptions } from "./session.js";

/** The parts of the fake daemon that its methods work on. */
export interface FakeCatalogue extends FakeSessionHost {
  /** The one accepted credential; undefined accepts any. */
  readonly credential: string | undefined;
  /** Credentials that reach their own sessions only. */
  readonly keys: ReadonlySet<string>;
  /** Bytes of prompts that may wait in the sessions of one of `keys`. */
  readonly queuedBytes: number;
  /** Whether the daemon offers no extension. */
  readonly isPlain: boolean;
  readonly clock: Clock;
  readonly sessions: ReadonlyMap<string, FakeSession>;
  /** Unused tickets, with the principals that made them. */
  readonly tickets: Map<string, { readonly principal: string; readonly expiresAt: number }>;
  addSession(options?: FakeSessionOptions): FakeSession;
  removeSession(id: string): void;
}

/** One request that a method handles. */
export interface FakeCall {
  readonly daemon: FakeCatalogue;
  readonly link: FakeLink;
  readonly id: string;
  readonly params: Record<string, unknown>;
  /** Runs `action` after the response is sent, or before it if the daemon acknowledges late. */
  afterReply(action: () => void): void;
}

/** Implements one method: returns the result, or throws an `rpcFault`. */
export type FakeMethod = (call: FakeCall) => unknown;

/** The session that a call names; -32004 when there is none (docs/wire/session.md#errors). */
export function sessionOf(call: FakeCall): FakeSession {
  const sessionId = requiredString(call.params, "sessionId");
  const session = call.daemon.sessions.get(sessionId);
  if (session && isReached(call, session)) return session;
  throw rpcFault(RpcCode.entityNotFound, "Session not found", { sessionId });
}

/** Whether the caller's credential reaches a session (docs/protocol.md §3). */
export function isReached({ daemon, link }: Pick<FakeCall, "daemon" | "link">, session: FakeSession): boolean {
  return !daemon.keys.has(link.principal) || session.key === link.principal;
}

/** The sessions that the caller's credential reaches, in the order in which they were added. */
export function sessionsFor(call: Pick<FakeCall, "daemon" | "link">): FakeSession[] {
  return [...call.daemon.sessions.values()].filter((session) => isReached(call, session));
}

/** The session that a call names, to which this connection must be attached. */
export function attachedSession(call: FakeCall): FakeSession {
  const session = sessionOf(call);
  if (session.attached.has(call.link)) return session;
  throw rpcFault(RpcCode.entityNotFound, "Session not loaded on this connection", { sessionId: session.id });
}
