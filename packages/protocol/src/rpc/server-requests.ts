import { CLIENT_LIMITS } from "../limits/index.js";

/**
 * Ids of requests of the peer, so that each is answered once at most.
 *
 * Stores the last `LIMITS.answeredRequests` answered ids. The id of an unanswered request is removed, because the peer may
 * send the request again after the session is loaded again.
 */
export class ServerRequests {
  readonly #handling = new Set<string>();
  readonly #answered = new Set<string>();

  /** Registers a request; false when its id is being handled or was answered. */
  begin(id: string): boolean {
    if (this.#handling.has(id) || this.#answered.has(id)) return false;
    this.#handling.add(id);
    return true;
  }

  /** Marks an id as answered, registered or not; false when it was answered before. */
  answer(id: string): boolean {
    if (this.#answered.has(id)) return false;
    this.#handling.delete(id);
    this.#answered.add(id);
    for (const oldest of this.#answered) {
      if (this.#answered.size <= CLIENT_LIMITS.answeredRequests) break;
      this.#answered.delete(oldest);
    }
    return true;
  }

  /** Removes a request that its handler did not answer. */
  leave(id: string): void {
    this.#handling.delete(id);
  }

  /** Removes all ids, after the link has ended. */
  clear(): void {
    this.#handling.clear();
    this.#answered.clear();
  }
}
