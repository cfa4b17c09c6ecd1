import { abortable, DaemonError } from "@daemon-sdk/protocol";
import { RETENTION_LIMITS } from "../limits/index.js";
import type { SessionHost } from "../sessions/index.js";
import type { OldestQuery, SessionRow } from "../storage/index.js";
import type { RetentionOptions } from "./retention-options.js";

/** What {@link Retention} works with. */
export interface RetentionParts {
  readonly host: SessionHost;
  /** What holds now: a reload may change it. */
  wanted(): RetentionOptions | undefined;
}

/** What one run deleted. */
export interface Retained {
  readonly deleted: number;
  /** Bytes that the store holds afterwards; undefined for one in memory. */
  readonly usedBytes: number | undefined;
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * Deletes sessions that nobody uses, as the configuration says. Sessions with an attached client, a turn, or a turn that waits are
 * kept whatever it says.
 *
 * One session is deleted at a time, in slices, and the next one once nothing is left of it: a client waits for one slice at most.
 */
export class Retention {
  readonly #parts: RetentionParts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<Retained> | undefined;
  readonly #stop = new AbortController();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Looks a while after the start, and from time to time. */
  start(): void {
    this.#schedule(RETENTION_LIMITS.firstMs);
  }

  /** Deletes what is to go now. A call during a run gets the outcome of that one. Never rejects. */
  run(): Promise<Retained> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends once the session that is being deleted is hidden: its rows are dropped while the daemon stops, or by the next one. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(afterMs: number): void {
    if (this.#stop.signal.aborted) return;
    const look = () => void this.run().then(() => this.#schedule(RETENTION_LIMITS.everyMs));
    this.#timer = setTimeout(look, afterMs).unref();
  }

  async #run(): Promise<Retained> {
    const { host, wanted } = this.#parts;
    const { store, now, logger } = host.services;
    let deleted = 0;
    try {
      const { days, archivedDays, bytes } = wanted() ?? {};
      const since = (count: number) => now() - count * DAY_MS;
      if (archivedDays !== undefined) deleted += await this.#expire({ archived: true, before: since(archivedDays) });
      if (days !== undefined) deleted += await this.#expire({ archived: false, before: since(days) });
      if (bytes !== undefined) deleted += await this.#fit(bytes);
    } catch (error) {
      logger.warn({ deleted, error: String(error) }, "retention ended early; it goes on at the next look");
    }
    const usedBytes = await store.usedBytes?.().catch(() => undefined);
    if (deleted > 0) logger.info({ deleted, usedBytes }, "sessions that nobody used were deleted");
    return { deleted, usedBytes };
  }

  /** Deletes sessions from the oldest on. `isEnough` is asked before each one; default: never. */
  async #expire(query: OldestQuery, isEnough: () => Promise<boolean> = async () => false): Promise<number> {
    let deleted = 0;
    for await (const row of this.#oldest(query)) {
      if (this.#stop.signal.aborted || (await isEnough())) break;
      if (await this.#delete(row)) deleted += 1;
    }
    return deleted;
  }

  async #fit(bytes: number): Promise<number> {
    const { store, logger } = this.#parts.host.services;
    if (store.usedBytes === undefined) return 0;
    const isEnough = async () => ((await store.usedBytes?.()) ?? 0) <= bytes;
    let deleted = await this.#expire({ archived: true }, isEnough);
    deleted += await this.#expire({ archived: false }, isEnough);
    if (!this.#stop.signal.aborted && !(await isEnough())) {
      logger.warn({ bytes }, "the store holds more than retention.bytes, and every session is in use");
    }
    return deleted;
  }

  async *#oldest(query: OldestQuery): AsyncGenerator<SessionRow> {
    const { store } = this.#parts.host.services;
    for (let after: OldestQuery["after"]; ; ) {
      const limit = RETENTION_LIMITS.pageSessions;
      const rows = await store.oldestSessions({ ...query, limit, ...(after === undefined ? {} : { after }) });
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined) return;
      after = { at: (query.archived ? last.archivedAt : undefined) ?? last.updatedAt, id: last.id };
    }
  }

  async #delete(row: SessionRow): Promise<boolean> {
    const { host } = this.#parts;
    try {
      // A page is read ahead: its sessions may be used again.
      if (!(await host.deleteUnused(row))) return false;
      await abortable(host.dropped(), this.#stop.signal).catch(() => {});
    } catch (error) {
      if (DaemonError.is(error, "DAEMON_STOPPING") || DaemonError.is(error, "STORAGE_FULL")) throw error;
      host.services.logger.debug({ session: row.id, error: String(error) }, "a session was kept");
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, RETENTION_LIMITS.pauseMs).unref());
    return true;
  }
}
