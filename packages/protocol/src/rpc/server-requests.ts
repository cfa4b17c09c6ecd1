import { CLIENT_LIMITS } from "../limits/index.js";

/**
 * Ids of requests that the peer made, so that each is answered once at most.
 *
 * Remembers the last `LIMITS.answeredRequests` answered ones; a request left without an answer is forgotten, because the
 * peer may ask it again after the session is loaded once more.
 */
export class ServerRequests {
  readonly #handling = new Set<string>();
  readonly #answered = new Set<string>();

  /** Takes a request; false when its id is being handled or was answered. */
  begin(id: string): boolean {
    if (this.#handling.has(id) || this.#answered.has(id)) return false;
    this.#handling.add(id);
    return true;
  }

  /** Marks an id as answered, known or not; false when it was answered before. */
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

  /** The handler leaves the request unanswered for now. */
  leave(id: string): void {
    this.#handling.delete(id);
  }

  /** The link ended: nothing can be answered any more. */
  clear(): void {
    this.#handling.clear();
    this.#answered.clear();
  }
}
