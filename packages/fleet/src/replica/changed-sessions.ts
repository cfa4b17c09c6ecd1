import type { ReplicaLag } from "@daemon-sdk/protocol";

/** What one session has to send. */
interface Changed {
  entries: number;
  bytes: number;
  /** When the oldest of these entries was stored; undefined without entries. */
  since: number | undefined;
}

/**
 * The sessions that have something to send, and how much. The one that waited longest is sent first. Bounded: of a session that does not
 * fit is only noted that there is one.
 */
export class ChangedSessions {
  readonly #waiting = new Map<string, Changed>();
  readonly #sending = new Map<string, Changed>();
  readonly #most: number;
  #hasMissed = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** Sessions that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Entries of one session are enough for a message: it need not wait for more. */
  isFull(sessionId: string, entries: number): boolean {
    return (this.#waiting.get(sessionId)?.entries ?? 0) >= entries;
  }

  /** Whether a session did not fit since the last call, so that all have to be looked at. */
  takeMissed(): boolean {
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    return hasMissed;
  }

  /** Entries or the row of a session changed. */
  add(sessionId: string, { entries, bytes, since }: ReplicaLag): void {
    const known = this.#waiting.get(sessionId);
    if (known === undefined && this.#waiting.size >= this.#most) {
      this.#hasMissed = true;
      return;
    }
    const changed = known ?? { entries: 0, bytes: 0, since: undefined };
    changed.entries += entries;
    changed.bytes += bytes;
    if (entries > 0) changed.since ??= since;
    this.#waiting.set(sessionId, changed);
  }

  /** The session that is sent next, and that is not being sent; undefined when there is none. It counts until {@link done}. */
  take(): string | undefined {
    for (const [sessionId, changed] of this.#waiting) {
      if (this.#sending.has(sessionId)) continue;
      this.#waiting.delete(sessionId);
      this.#sending.set(sessionId, changed);
      return sessionId;
    }
    return undefined;
  }

  /** So much of a session is acknowledged. */
  sent(sessionId: string, entries: number, bytes: number): void {
    const changed = this.#sending.get(sessionId);
    if (changed === undefined) return;
    changed.entries = Math.max(0, changed.entries - entries);
    changed.bytes = Math.max(0, changed.bytes - bytes);
  }

  /** A session was sent, up to what was added meanwhile. */
  done(sessionId: string): void {
    this.#sending.delete(sessionId);
  }

  /** A session was not sent: it waits again. */
  giveBack(sessionId: string): void {
    const left = this.#sending.get(sessionId);
    this.#sending.delete(sessionId);
    if (left === undefined) return;
    const later = this.#waiting.get(sessionId);
    this.#waiting.set(sessionId, {
      entries: left.entries + (later?.entries ?? 0),
      bytes: left.bytes + (later?.bytes ?? 0),
      since: left.since ?? later?.since,
    });
  }

  /** What all of them have to send. */
  lag(): ReplicaLag {
    let [entries, bytes] = [0, 0];
    let since: number | undefined;
    for (const changed of [...this.#waiting.values(), ...this.#sending.values()]) {
      entries += changed.entries;
      bytes += changed.bytes;
      if (changed.since !== undefined) since = Math.min(since ?? changed.since, changed.since);
    }
    return { entries, bytes, since };
  }
}
