import type { SessionId } from "@daemon-sdk/protocol";
import { INBOX_LIMITS } from "../limits/index.js";

/** A request that waits, as its room is counted. */
export interface RoomUse {
  readonly sessionId: SessionId;
  /** Whose session it is: the id of a configured key; undefined: the person. */
  readonly owner: string | undefined;
  /** Bytes of its params. */
  readonly bytes: number;
}

interface Held {
  requests: number;
  bytes: number;
}

type Scope = keyof typeof INBOX_LIMITS;

const WORDS: Readonly<Record<Scope, string>> = {
  session: "this session",
  principal: "the sessions of this credential",
  daemon: "all sessions",
};

/** Counts requests that wait, and their bytes: of each session, of each principal, and in all. */
export class InboxRoom {
  readonly #sessions = new Map<SessionId, Held>();
  readonly #principals = new Map<string | undefined, Held>();
  readonly #daemon: Held = { requests: 0, bytes: 0 };

  /** Why a request cannot wait, by name and number; undefined when it can. */
  refusalOf(use: RoomUse): string | undefined {
    for (const [scope, waiting] of this.#scopesOf(use)) {
      const { requests, bytes } = INBOX_LIMITS[scope];
      if (waiting.requests >= requests) {
        return `${waiting.requests} requests of ${WORDS[scope]} wait for an answer already, ${requests} are the limit.`;
      }
      if (waiting.bytes + use.bytes > bytes) {
        const held = `Requests of ${WORDS[scope]} that wait for an answer hold ${waiting.bytes} bytes`;
        return `${held}; ${use.bytes} more exceed the limit of ${bytes}.`;
      }
    }
    return undefined;
  }

  /** A request waits from now on. */
  take(use: RoomUse): void {
    for (const [, held] of this.#scopesOf(use)) {
      held.requests++;
      held.bytes += use.bytes;
    }
  }

  /** A request waits no longer. */
  release(use: RoomUse): void {
    for (const [, held] of this.#scopesOf(use)) {
      held.requests--;
      held.bytes -= use.bytes;
    }
    if (this.#sessions.get(use.sessionId)?.requests === 0) this.#sessions.delete(use.sessionId);
    if (this.#principals.get(use.owner)?.requests === 0) this.#principals.delete(use.owner);
  }

  #scopesOf({ sessionId, owner }: RoomUse): readonly (readonly [Scope, Held])[] {
    return [
      ["session", heldOf(this.#sessions, sessionId)],
      ["principal", heldOf(this.#principals, owner)],
      ["daemon", this.#daemon],
    ];
  }
}

function heldOf<Key>(book: Map<Key, Held>, key: Key): Held {
  const known = book.get(key) ?? { requests: 0, bytes: 0 };
  book.set(key, known);
  return known;
}
