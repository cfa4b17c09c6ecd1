/** Options of {@link FairTurns}. */
export interface FairTurnsOptions {
  /** Tasks that run at a time, each of another owner. */
  readonly running: number;
  /** Tasks of one owner that may wait. */
  readonly waiting: number;
}

/** Runs tasks one at a time per owner, a few in all. Owners take turns, so that one with many tasks delays no other one. */
export class FairTurns<Owner> {
  readonly #options: FairTurnsOptions;
  /** Owners whose tasks wait, in the order of their turns. */
  readonly #waiting = new Map<Owner, (() => Promise<void>)[]>();
  readonly #running = new Set<Owner>();

  constructor(options: FairTurnsOptions) {
    this.#options = options;
  }

  /** False, and the task does not run, when too many of this owner wait. */
  run(owner: Owner, task: () => Promise<void>): boolean {
    const tasks = this.#waiting.get(owner) ?? [];
    if (tasks.length >= this.#options.waiting) return false;
    tasks.push(task);
    this.#waiting.set(owner, tasks);
    this.#next();
    return true;
  }

  /** Drops the waiting tasks of an owner. */
  forget(owner: Owner): void {
    this.#waiting.delete(owner);
  }

  #next(): void {
    for (const [owner, tasks] of this.#waiting) {
      if (this.#running.size >= this.#options.running) return;
      if (this.#running.has(owner)) continue;
      const task = tasks.shift();
      this.#waiting.delete(owner);
      if (tasks.length > 0) this.#waiting.set(owner, tasks);
      if (task !== undefined) void this.#work(owner, task);
    }
  }

  async #work(owner: Owner, task: () => Promise<void>): Promise<void> {
    this.#running.add(owner);
    await task().finally(() => this.#running.delete(owner));
    this.#next();
  }
}
