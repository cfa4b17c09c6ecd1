import type { SessionId } from "@daemon-sdk/protocol";

/** Tasks that change whether a session is open, or is there: at most one for each session, and a second caller gets the first one's outcome. */
export class SessionTasks {
  readonly #opening = new Map<SessionId, Promise<unknown>>();
  readonly #closing = new Map<SessionId, Promise<void>>();
  /** Begun elsewhere, such as a deletion. */
  readonly #others: (id: SessionId) => Promise<unknown> | undefined;
  readonly #tracked = new Set<Promise<unknown>>();

  /** @param others a task of that session that somebody else began */
  constructor(others: (id: SessionId) => Promise<unknown> | undefined) {
    this.#others = others;
  }

  /** Whether the session is being closed. */
  isClosing(id: SessionId): boolean {
    return this.#closing.has(id);
  }

  /** The task of a session; undefined while nothing changes. */
  of(id: SessionId): Promise<unknown> | undefined {
    return this.#others(id) ?? this.#closing.get(id) ?? this.#opening.get(id);
  }

  /** Resolves when nothing changes whether the session is open, or is there. */
  async settled(id: SessionId): Promise<void> {
    for (let task = this.of(id); task !== undefined; task = this.of(id)) await task.catch(() => {});
  }

  /** Makes a session, or opens a stored one. */
  open<Result>(id: SessionId, work: () => Promise<Result>): Promise<Result> {
    const working = (this.#opening.get(id) as Promise<Result> | undefined) ?? work();
    this.#opening.set(id, working);
    const forget = () => {
      if (this.#opening.get(id) === working) this.#opening.delete(id);
    };
    working.then(forget, forget);
    return working;
  }

  /** Closes an open session. */
  close(id: SessionId, work: () => Promise<void>): Promise<void> {
    const known = this.#closing.get(id);
    if (known !== undefined) return known;
    const closing = work().finally(() => this.#closing.delete(id));
    this.#closing.set(id, closing);
    return closing;
  }

  /** Work that the daemon's end waits for. */
  track(work: Promise<unknown>): void {
    this.#tracked.add(work);
    const forget = () => this.#tracked.delete(work);
    work.then(forget, forget);
  }

  /** Resolves when all that was begun until now has ended. Never rejects. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#tracked, ...this.#opening.values()]);
  }
}
