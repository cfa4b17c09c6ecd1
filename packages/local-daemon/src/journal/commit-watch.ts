import type { SessionId } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/** How long {@link CommitWatch.until} waits. */
export interface WatchOptions {
  /** At most this long, in ms. */
  readonly maxMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Asked at each commit, before `isDue`: it must cost next to nothing. Default: a commit may always be the one that is waited for. */
  readonly mayBeDue?: () => boolean;
}

/**
 * Lets calls wait for commits of a session's journal, whether the session is open or not: an open session that was released and
 * opened again is another object.
 */
export class CommitWatch {
  readonly #waiters = new Map<SessionId, Set<() => void>>();

  /** Entries of that session were committed. */
  wake(id: SessionId): void {
    if (this.#waiters.size === 0) return;
    for (const wake of this.#waiters.get(id) ?? []) wake();
  }

  /** Resolves once `isDue` holds, which is checked now and after each commit; else when the wait ends. */
  async until(id: SessionId, isDue: () => boolean | Promise<boolean>, options: WatchOptions): Promise<void> {
    const { maxMs, signal, mayBeDue = () => true } = options;
    let isOver = signal.aborted;
    let wake = (): void => {};
    let isChanged = true;
    const onCommit = (): void => {
      if (!mayBeDue()) return;
      isChanged = true;
      wake();
    };
    const onEnd = (): void => {
      isOver = true;
      wake();
    };
    const timer = setTimeout(onEnd, Math.min(maxMs, SERVING_LIMITS.waitMs)).unref();
    signal.addEventListener("abort", onEnd, { once: true });
    this.#waitersOf(id).add(onCommit);
    try {
      while (!isOver) {
        // Before the check: a commit during it may change its outcome.
        isChanged = false;
        if (await isDue()) return;
        if (isOver || isChanged) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onEnd);
      this.#remove(id, onCommit);
    }
  }

  #waitersOf(id: SessionId): Set<() => void> {
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters);
    return waiters;
  }

  #remove(id: SessionId, waiter: () => void): void {
    const waiters = this.#waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(id);
  }
}
