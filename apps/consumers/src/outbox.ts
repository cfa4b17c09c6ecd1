import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { ConnectionError, DaemonError } from "@daemon-sdk/client";

const RETRY_MS = 2_000;

/** What an {@link Outbox} does with its jobs. */
export interface OutboxWork<Job> {
  /** Does a job. What fails is repeated from the beginning, because each step acts once. */
  work(id: string, job: Job): Promise<void>;
  /** Reports a job that the daemon has refused, so that a repetition would fail in the same way. */
  giveUp(id: string, job: Job, error: DaemonError): Promise<void>;
}

/** Jobs that a service has accepted and not finished, in a file. A service that is killed does them after its next start. */
export class Outbox<Job> {
  readonly #path: string;
  readonly #work: OutboxWork<Job>;
  readonly #jobs: Map<string, Job>;

  /** Reads the file, if it is there, and does its jobs. One process may use it at a time. */
  constructor(path: string, work: OutboxWork<Job>) {
    this.#path = path;
    this.#work = work;
    const stored = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as [string, Job][]) : [];
    this.#jobs = new Map(stored);
    for (const [id, job] of stored) void this.#do(id, job);
  }

  /** Whether it has accepted a job of that id and not finished it. */
  has(id: string): boolean {
    return this.#jobs.has(id);
  }

  /** Accepts a job, unless it has one of that id. The job is on the disk when this returns. */
  put(id: string, job: Job): void {
    if (this.has(id)) return;
    this.#jobs.set(id, job);
    this.#write();
    void this.#do(id, job);
  }

  async #do(id: string, job: Job): Promise<void> {
    for (let isDone = false; !isDone; ) {
      try {
        await this.#work.work(id, job).catch((error: unknown) => {
          if (!isFinal(error)) throw error;
          return this.#work.giveUp(id, job, error);
        });
        isDone = true;
      } catch (error) {
        // The daemon, or the service behind it, may be down meanwhile.
        console.error(error);
        await delay(RETRY_MS);
      }
    }
    this.#jobs.delete(id);
    this.#write();
  }

  #write(): void {
    const draft = `${this.#path}.draft`;
    writeFileSync(draft, JSON.stringify([...this.#jobs]), { mode: 0o600, flush: true });
    renameSync(draft, this.#path);
  }
}

function isFinal(error: unknown): error is DaemonError {
  return error instanceof DaemonError && !error.retryable && !(error instanceof ConnectionError);
}
