import type { SessionId } from "@daemon-sdk/protocol";
import { KeyPolicies } from "../access/index.js";
import type { SessionLimits } from "../limits/index.js";
import { queueBytesFull, queueFull } from "../refusals.js";

/** Bounds of what waits in the queues of sessions. */
export type QueueLimits = Pick<SessionLimits, "queuedTurns" | "queuedBytes" | "queuedBytesPerPrincipal">;

/** What waits in the queue of one session. */
export interface Queued {
  readonly sessionId: SessionId;
  /** The configured key of the session, by its id; undefined: the person's own. */
  readonly owner: string | undefined;
  turns: number;
  bytes: number;
}

/**
 * Counts what waits in the queues of all sessions. The bodies themselves are in the store: a queue holds no more of a message
 * than its row.
 */
export class QueueRoom {
  readonly #limits: QueueLimits;
  readonly #policies: KeyPolicies;
  readonly #bytesOf = new Map<string | undefined, number>();

  /** @param policies quotas of keys; default: none has one */
  constructor(limits: QueueLimits, policies = new KeyPolicies()) {
    this.#limits = limits;
    this.#policies = policies;
  }

  /**
   * Throws `QUEUE_FULL`, with the name of the bound and its number, when a further message of so many bytes must not wait. One
   * that would wait alone may be of any size.
   */
  check({ sessionId, owner, turns, bytes }: Queued, added: number): void {
    const { queuedTurns, queuedBytes, queuedBytesPerPrincipal } = this.#limits;
    if (turns >= queuedTurns) throw queueFull(sessionId, queuedTurns);
    const ofOwner = this.#bytesOf.get(owner) ?? 0;
    if (bytes > 0 && bytes + added > queuedBytes) {
      throw queueBytesFull(sessionId, {
        where: "in this session",
        bound: "queuedBytes",
        bytes,
        added,
        most: queuedBytes,
      });
    }
    const general = { name: "queuedBytesPerPrincipal", most: queuedBytesPerPrincipal };
    const { name: bound, most } = this.#policies.quota(owner, "queuedBytes", general);
    if (ofOwner > 0 && ofOwner + added > most) {
      const where = owner === undefined ? "in the sessions of this user" : "in the sessions of this key";
      throw queueBytesFull(sessionId, { where, bound, bytes: ofOwner, added, most });
    }
  }

  /** A message of so many bytes waits. */
  add(queued: Queued, bytes: number): void {
    this.#count(queued, 1, bytes);
  }

  /** A message of so many bytes waits no more. */
  remove(queued: Queued, bytes: number): void {
    this.#count(queued, -1, -bytes);
  }

  #count(queued: Queued, turns: number, bytes: number): void {
    queued.turns += turns;
    queued.bytes += bytes;
    const ofOwner = (this.#bytesOf.get(queued.owner) ?? 0) + bytes;
    if (ofOwner > 0) this.#bytesOf.set(queued.owner, ofOwner);
    else this.#bytesOf.delete(queued.owner);
  }
}
