import { type Clock, type Credit, ProtocolError, RpcCode } from "@daemon-sdk/protocol";
import { rpcFault } from "./frames.js";
import type { FakeLink } from "./link.js";
import type { FakeSession, FakeSessionHost, FakeSessionOptions } from "./session.js";

/** The parts of the fake daemon that its methods work on. */
export interface FakeCatalogue extends FakeSessionHost {
  /** The one credential that is accepted; undefined accepts any. */
  readonly credential: string | undefined;
  /** Credentials that reach their own sessions only. */
  readonly keys: ReadonlySet<string>;
  /** Offers no extension. */
  readonly isPlain: boolean;
  readonly clock: Clock;
  readonly sessions: ReadonlyMap<string, FakeSession>;
  /** Tickets nobody has used, and who made them. */
  readonly tickets: Map<string, { readonly principal: string; readonly expiresAt: number }>;
  addSession(options?: FakeSessionOptions): FakeSession;
}

/** One request on its way to a method. */
export interface FakeCall {
  readonly daemon: FakeCatalogue;
  readonly link: FakeLink;
  readonly id: string;
  readonly params: Record<string, unknown>;
  /** Does something once the response is sent (or before, where the daemon acknowledges late). */
  afterReply(action: () => void): void;
}

/** Answers one method: returns the result, or throws an `rpcFault`. */
export type FakeMethod = (call: FakeCall) => unknown;

/** A string that has to be there, such as `caller` or `cwd` (docs/wire/session.md#methods). */
export function requiredString(params: Record<string, unknown>, name: string): string {
  const value = params[name];
  if (typeof value === "string") return value;
  throw rpcFault(RpcCode.invalidParams, `Invalid params: ${name} must be a string`);
}

export function optionalString(params: Record<string, unknown>, name: string): string | undefined {
  return params[name] === undefined ? undefined : requiredString(params, name);
}

/** `{ events, bytes }` of a call or notification; undefined where it is left out. */
export function optionalCredit(value: unknown): Credit | undefined {
  if (value === undefined) return undefined;
  if (isWholeNumbers(value, "events", "bytes")) return { events: value.events, bytes: value.bytes };
  throw rpcFault(
    RpcCode.invalidParams,
    "Invalid params: credit must be { events, bytes }, both whole and not negative",
  );
}

/** Whether `value` has these keys, each a whole number from 0. */
export function isWholeNumbers<Key extends string>(value: unknown, ...keys: Key[]): value is Record<Key, number> {
  if (typeof value !== "object" || value === null) return false;
  return keys.every((key) => {
    const number: unknown = Reflect.get(value, key);
    return Number.isInteger(number) && Number(number) >= 0;
  });
}

/** The session a call names; -32004 when there is none (docs/wire/session.md#errors). */
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

/** The session a call names, which this connection has to have created or loaded before. */
export function followedSession(call: FakeCall): FakeSession {
  const session = sessionOf(call);
  if (session.followers.has(call.link)) return session;
  throw rpcFault(RpcCode.entityNotFound, "Session not loaded on this connection", { sessionId: session.id });
}

/** `error` of the response for what a method threw. */
export function errorOf(fault: unknown): { code: number; message: string; data?: unknown } {
  if (fault instanceof ProtocolError && fault.rpcCode !== undefined) {
    const { rpcCode: code, message, data } = fault;
    return data === undefined ? { code, message } : { code, message, data };
  }
  return { code: RpcCode.internalError, message: fault instanceof Error ? fault.message : String(fault) };
}
