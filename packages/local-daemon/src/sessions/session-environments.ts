import type { SessionId } from "@daemon-sdk/protocol";
import type { AgentSpec } from "../agents/index.js";
import { SERVING_LIMITS } from "../limits/index.js";

type Variables = Readonly<Record<string, string>>;

/** The variables of one session. */
export interface SessionVariables {
  readonly sessionId: SessionId;
  readonly variables: Variables;
  /** The configured key of the session, by its id. Default: the person's own. */
  readonly owner?: string | undefined;
}

/**
 * The variables that clients set for their sessions. They are in memory only, because they may be secrets: until the session is
 * closed, the daemon ends, or those of later sessions of the same principal need the room.
 */
export class SessionEnvironments {
  /** The oldest first. */
  readonly #sessions = new Map<SessionId, SessionVariables>();
  /** UTF-16 units of each principal's. */
  readonly #chars = new Map<string | undefined, number>();

  set(session: SessionVariables): void {
    const { sessionId, owner, variables } = session;
    this.delete(sessionId);
    this.#sessions.set(sessionId, session);
    this.#count(owner, charsOf(variables));
    for (const oldest of this.#sessions.values()) {
      if ((this.#chars.get(owner) ?? 0) <= SERVING_LIMITS.sessionEnvChars || oldest.sessionId === sessionId) break;
      if (oldest.owner === owner) this.delete(oldest.sessionId);
    }
  }

  /** Those of all sessions, the oldest first. */
  all(): SessionVariables[] {
    return [...this.#sessions.values()];
  }

  has(id: SessionId): boolean {
    return this.#sessions.has(id);
  }

  /** Those that the configuration of the agent allows now; undefined for a session without any. */
  allowed(id: SessionId, { allowEnv = [] }: AgentSpec): Variables | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    return Object.fromEntries(Object.entries(session.variables).filter(([name]) => allowEnv.includes(name)));
  }

  delete(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#count(session.owner, -charsOf(session.variables));
  }

  #count(owner: string | undefined, chars: number): void {
    const sum = (this.#chars.get(owner) ?? 0) + chars;
    if (sum > 0) this.#chars.set(owner, sum);
    else this.#chars.delete(owner);
  }
}

function charsOf(variables: Variables): number {
  return Object.entries(variables).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}
