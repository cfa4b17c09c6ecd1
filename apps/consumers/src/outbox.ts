import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Jobs that a service has accepted and not finished, in a file. A service that is killed finds them at its next start. */
export class Outbox<Job> {
  readonly #path: string;
  readonly #jobs: Map<string, Job>;

  /** Reads the file, if it is there. One process may use it at a time. */
  constructor(path: string) {
    this.#path = path;
    const stored = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as [string, Job][]) : [];
    this.#jobs = new Map(stored);
  }

  /** The jobs that are not finished, oldest first. */
  get jobs(): [string, Job][] {
    return [...this.#jobs];
  }

  /** Stores a job, or a new state of it. It is on the disk when this returns. */
  put(id: string, job: Job): void {
    this.#jobs.set(id, job);
    this.#write();
  }

  /** Removes a job that is finished. */
  remove(id: string): void {
    this.#jobs.delete(id);
    this.#write();
  }

  #write(): void {
    const draft = `${this.#path}.draft`;
    writeFileSync(draft, JSON.stringify([...this.#jobs]), { mode: 0o600, flush: true });
    renameSync(draft, this.#path);
  }
}
