import type { SessionId } from "@daemon-sdk/protocol";
import type { AgentSpec } from "../agents/index.js";
import { SERVING_LIMITS } from "../limits/index.js";

type Variables = Readonly<Record<string, string>>;

/** The variables of one session. */
export interface SessionVariables {
  readonly sessionId: SessionId;
  readonly variables: Variables;
}

/**
 * The variables that clients set for their sessions. They are in memory only, because they may be secrets: until the session is
 * closed, the daemon ends, or those of later sessions need the room.
 */
export class SessionEnvironments {
  /** The oldest first. */
  readonly #variables = new Map<SessionId, Variables>();
  #chars = 0;

  set(id: SessionId, variables: Variables): void {
    this.delete(id);
    this.#variables.set(id, variables);
    this.#chars += charsOf(variables);
    for (const oldest of this.#variables.keys()) {
      if (this.#chars <= SERVING_LIMITS.sessionEnvChars || oldest === id) break;
      this.delete(oldest);
    }
  }

  /** Those of all sessions, the oldest first. */
  all(): SessionVariables[] {
    return [...this.#variables].map(([sessionId, variables]) => ({ sessionId, variables }));
  }

  has(id: SessionId): boolean {
    return this.#variables.has(id);
  }

  /** Those that the configuration of the agent allows now; undefined for a session without any. */
  allowed(id: SessionId, { allowEnv = [] }: AgentSpec): Variables | undefined {
    const variables = this.#variables.get(id);
    if (variables === undefined) return undefined;
    return Object.fromEntries(Object.entries(variables).filter(([name]) => allowEnv.includes(name)));
  }

  delete(id: SessionId): void {
    const variables = this.#variables.get(id);
    if (variables === undefined) return;
    this.#variables.delete(id);
    this.#chars -= charsOf(variables);
  }
}

function charsOf(variables: Variables): number {
  return Object.entries(variables).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}
