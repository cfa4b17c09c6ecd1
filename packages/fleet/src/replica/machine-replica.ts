import {
  DaemonError,
  type Logger,
  type ReplicaFollower,
  type ReplicaLag,
  type ReplicaSource,
} from "@daemon-sdk/protocol";
import type { NatsConnection } from "@nats-io/nats-core";
import { FLEET_LIMITS } from "../limits/index.js";
import { type Subjects, sessionToken } from "../names/index.js";
import type { StreamPlace } from "../registry/index.js";
import { ChangedSessions } from "./changed-sessions.js";
import type { SessionPlace } from "./replica-place.js";
import { ReplicaStream, type StreamFigures } from "./replica-stream.js";
import { SessionCopier } from "./session-copier.js";

/** Bounds of a machine's replica on the servers. */
export interface ReplicaBounds {
  /** Bytes of the replica, each copy of it; what is oldest makes room. Default: 1 GiB. */
  readonly maxBytes?: number;
  /** Age in days at which the server removes what is in the replica. Default: 30. */
  readonly maxAgeDays?: number;
}

/** Options of {@link MachineReplica}. */
export interface MachineReplicaOptions {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly machineId: string;
  readonly streams: StreamPlace;
  readonly source: ReplicaSource;
  readonly bounds: ReplicaBounds;
  readonly logger: Logger;
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * Keeps the replica of a machine's sessions: asynchronously, from the store, behind what the sessions do. What a failure leaves is sent
 * when the stream can be reached again. While nothing changes nothing runs.
 */
export class MachineReplica implements ReplicaFollower {
  readonly #options: MachineReplicaOptions;
  readonly #maxAgeMs: number;
  readonly #changed = new ChangedSessions(FLEET_LIMITS.replicaChangedSessions);
  readonly #erased = new Set<string>();
  readonly #places = new Map<string, SessionPlace>();
  readonly #ending = new AbortController();
  #stream: ReplicaStream | undefined;
  #isScanned = false;
  /** NATS was away: the stream may have lost what it acknowledged. */
  #isInDoubt = false;
  #hasTrouble = false;
  #isRunning = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;

  /** Begins at once, and never rejects: a machine whose replica fails serves all the same. */
  constructor(options: MachineReplicaOptions) {
    this.#options = options;
    this.#maxAgeMs = (options.bounds.maxAgeDays ?? FLEET_LIMITS.replicaAgeMs / DAY_MS) * DAY_MS;
    void this.#watch();
    this.#wake(0);
  }

  /** Ends it. What is not acknowledged is sent by the next one. */
  stop(): void {
    this.#ending.abort();
    clearTimeout(this.#timer);
    this.#options.source.detach(this);
  }

  changed(sessionId: string, entries: number, bytes: number): void {
    this.#changed.add(sessionId, { entries, bytes, since: Date.now() });
    this.#wake(this.#changed.isFull(sessionId, FLEET_LIMITS.replicaEntries) ? 0 : FLEET_LIMITS.replicaCollectMs);
  }

  erased(sessionId: string): void {
    this.#erased.add(sessionId);
    this.#wake(0);
  }

  lag(): ReplicaLag {
    return this.#changed.lag();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#options.nats.status()) {
      if (this.#ending.signal.aborted) return;
      if (type === "disconnect") {
        this.#isInDoubt = true;
        this.#stream?.cut();
      } else if (type === "reconnect") {
        this.#failures = 0;
        clearTimeout(this.#timer);
        this.#timer = undefined;
        this.#wake(0);
      }
    }
  }

  /** Begins to send after a pause, unless that has begun or waits already. */
  #wake(pauseMs: number): void {
    if (this.#ending.signal.aborted || this.#isRunning) return;
    if (this.#timer !== undefined && (pauseMs > 0 || this.#failures > 0)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), pauseMs);
    this.#timer.unref?.();
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#isRunning = true;
    try {
      await this.#sendAll();
      if (this.#hasTrouble) this.#options.logger.info({}, "the replica is written again");
      this.#hasTrouble = false;
      this.#failures = 0;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isRunning = false;
    }
    if (this.#failures > 0) this.#retry();
    else if (this.#changed.waiting > 0 || this.#erased.size > 0 || this.#isInDoubt)
      this.#wake(FLEET_LIMITS.replicaCollectMs);
  }

  #retry(): void {
    const { replicaRetryMs, replicaLongestRetryMs } = FLEET_LIMITS;
    if (this.#ending.signal.aborted) return;
    const pause = Math.min(replicaRetryMs * 2 ** (this.#failures - 1), replicaLongestRetryMs);
    this.#timer = setTimeout(() => void this.#run(), pause);
    this.#timer.unref?.();
  }

  /** Stated once, until it works again. Credentials that may not write a replica do not change by waiting. */
  #failed(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    this.#failures += 1;
    const code = DaemonError.is(error) ? error.code : "INTERNAL";
    if (!this.#hasTrouble) {
      this.#options.logger.warn({ code, error: String(error) }, "the replica is behind; the next try follows");
    }
    this.#hasTrouble = true;
    if (code !== "AUTH_REJECTED") return;
    this.#options.logger.error(
      { code },
      "these credentials may not write a replica: make some that may with fleet enrol --replicas",
    );
    this.stop();
  }

  async #sendAll(): Promise<void> {
    const { source } = this.#options;
    if (this.#stream === undefined) {
      this.#stream = await ReplicaStream.open({
        ...this.#options,
        maxBytes: this.#options.bounds.maxBytes ?? FLEET_LIMITS.replicaMaxBytes,
        maxAgeMs: this.#maxAgeMs,
      });
      await source.attach(this);
    }
    const stream = this.#stream;
    const copier = new SessionCopier({
      ...{ source, stream, places: this.#places, maxAgeMs: this.#maxAgeMs, signal: this.#ending.signal },
      onSent: (sessionId, entries, bytes) => this.#changed.sent(sessionId, entries, bytes),
    });
    const isStale = this.#changed.takeMissed() || (this.#isInDoubt && (await this.#hasLost(stream)));
    if (!this.#isScanned || isStale) await this.#scan(stream, copier);
    this.#isInDoubt = false;
    await this.#eraseAll(stream);
    await this.#sendChanged(copier);
  }

  /** Looks at all sessions: which the replica has, and which are behind. */
  async #scan(stream: ReplicaStream, copier: SessionCopier): Promise<void> {
    const { source } = this.#options;
    for (const sessionId of await source.erasures()) this.#erased.add(sessionId);
    await this.#eraseAll(stream);
    const figures = await stream.figures();
    this.#places.clear();
    for (const [token, place] of await stream.places()) this.#places.set(token, place);
    let page = await source.sessions();
    while (page.length > 0) {
      for (const session of page) {
        this.#ending.signal.throwIfAborted();
        const { sessionId, updatedAt } = session.row;
        const place = this.#places.get(sessionToken(sessionId));
        if (await copier.isCurrent(session)) continue;
        if (place === undefined && this.#isLeftOut(updatedAt, figures)) continue;
        const after = this.#places.get(sessionToken(sessionId))?.seq ?? 0;
        this.#changed.add(sessionId, await source.behind(sessionId, after));
      }
      page = await source.sessions(page.at(-1)?.row);
    }
    this.#isScanned = true;
  }

  /** What the bounds have removed, or would remove at once, is not sent again until it changes. */
  #isLeftOut(updatedAt: number, { isFull, oldestAt }: StreamFigures): boolean {
    return updatedAt < Date.now() - this.#maxAgeMs || (isFull && updatedAt < (oldestAt ?? 0));
  }

  /** A server that lost its power may have lost the end of the stream, or the stream as a whole. */
  async #hasLost(stream: ReplicaStream): Promise<boolean> {
    try {
      return (await stream.figures()).lastNo < stream.lastNo;
    } catch (error) {
      // Opened again by the next try, which makes it when it is missing.
      this.#stream = undefined;
      this.#isScanned = false;
      throw error;
    }
  }

  async #eraseAll(stream: ReplicaStream): Promise<void> {
    const { source } = this.#options;
    for (const sessionId of [...this.#erased]) {
      this.#ending.signal.throwIfAborted();
      this.#places.delete(sessionToken(sessionId));
      await stream.erase(sessionId);
      await source.forgetErasures([sessionId]);
      this.#erased.delete(sessionId);
      // A session of that id may be there again.
      this.#changed.add(sessionId, { entries: 0, bytes: 0, since: undefined });
    }
  }

  /** Sends some sessions at a time. One that fails does not hold up the others, unless all fail. */
  async #sendChanged(copier: SessionCopier): Promise<void> {
    const failed: string[] = [];
    let failure: unknown;
    const sendNext = async () => {
      while (!this.#ending.signal.aborted) {
        const sessionId = this.#changed.take();
        if (sessionId === undefined) return;
        try {
          await copier.copy(sessionId);
          this.#changed.done(sessionId);
        } catch (error) {
          failure = error;
          failed.push(sessionId);
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: FLEET_LIMITS.replicaSessionsAtOnce }, sendNext));
    for (const sessionId of failed) this.#changed.giveBack(sessionId);
    if (failure !== undefined) throw failure;
  }
}
