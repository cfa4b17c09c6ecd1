import { SessionError, type SessionId } from "@daemon-sdk/protocol";
import type { KeyPolicies } from "../access/index.js";
import type { SessionLimits } from "../limits/index.js";
import type { SessionRow } from "../storage/index.js";
import type { Session } from "./session.js";

/** The sessions of a daemon that are open, and how many of them belong to each configured key. */
export class OpenSessions {
  readonly #limits: Pick<SessionLimits, "openSessions" | "openSessionsPerKey">;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #policies: KeyPolicies;
  readonly #ofKeys = new Map<string, number>();

  constructor(limits: Pick<SessionLimits, "openSessions" | "openSessionsPerKey">, policies: KeyPolicies) {
    this.#limits = limits;
    this.#policies = policies;
  }

  get(id: SessionId): Session | undefined {
    return this.#sessions.get(id);
  }

  values(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Throws `SESSION_STATE`, with the name of the bound and its number, when no further session may be open. */
  check({ id, owner }: Pick<SessionRow, "id" | "owner">): void {
    const { openSessions, openSessionsPerKey } = this.#limits;
    if (this.#sessions.size >= openSessions) throw tooMany(id, "sessions", openSessions, "openSessions");
    const ofKey = owner === undefined ? 0 : (this.#ofKeys.get(owner) ?? 0);
    const general = { name: "openSessionsPerKey", most: openSessionsPerKey };
    const { name, most } = this.#policies.quota(owner, "openSessions", general);
    if (ofKey >= most) throw tooMany(id, "sessions of this key", most, name);
  }

  /** Throws as {@link check} does. */
  add(session: Session): void {
    const { id, owner } = session.row;
    this.check({ id, owner });
    this.#sessions.set(id, session);
    if (owner !== undefined) this.#ofKeys.set(owner, (this.#ofKeys.get(owner) ?? 0) + 1);
  }

  /** Removes a session; another one of its id stays. */
  remove(session: Session): void {
    const { id, owner } = session.row;
    if (this.#sessions.get(id) !== session) return;
    this.#sessions.delete(id);
    if (owner === undefined) return;
    const left = (this.#ofKeys.get(owner) ?? 1) - 1;
    if (left === 0) this.#ofKeys.delete(owner);
    else this.#ofKeys.set(owner, left);
  }
}

function tooMany(sessionId: SessionId, what: string, most: number, bound: string): SessionError {
  return new SessionError("SESSION_STATE", `${most} ${what} are open already (${bound}). Close some, or raise it.`, {
    sessionId,
  });
}
