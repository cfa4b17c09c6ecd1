import { AGENT_LIMITS } from "../../limits/index.js";
import { addUse } from "../../loop/index.js";

/** Work that comes in small steps. */
export interface SteppedWork {
  /** Names the work for the report of what held the loop; default: it is not in there. */
  readonly loopUse?: string | undefined;
  /** Does one step. False when nothing is left to do for now. */
  step(): boolean;
}

/**
 * Divides the event loop among the agents of this process.
 *
 * Each agent's output is handled for `loopSliceMs` at a time, in turn, and for `loopRoundMs` altogether before timers and other
 * sockets are served. What is handled is then stored and delivered, which takes as long again, so the round is short. An agent
 * that used up its last slice waits behind those that did not: one that writes without end costs the others one slice,
 * however many lines fit into a chunk, and several of them cost no more. A step cannot be interrupted: whoever took much longer
 * than a slice pauses for as long as it took.
 */
export class OutputShare {
  /** Work that is new … */
  readonly #fresh: SteppedWork[] = [];
  /** … and work that was not done within its last slice. They are served alternately. */
  readonly #long: SteppedWork[] = [];
  #wasFresh = false;
  readonly #queued = new Set<SteppedWork>();
  /** How many took too long, and wait. */
  #pausing = 0;
  #isScheduled = false;
  /** What is left of this round. */
  #leftMs: number = AGENT_LIMITS.loopRoundMs;

  /** Whether no work waits. */
  get isIdle(): boolean {
    return this.#waiting === 0 && this.#pausing === 0;
  }

  /** There is work to do; at once where this round has time left and no one waits. */
  add(work: SteppedWork): void {
    if (this.#queued.has(work)) return;
    this.#queued.add(work);
    this.#fresh.push(work);
    if (this.#waiting === 1 && this.#leftMs > 0) this.#run(performance.now());
    if (!this.#isScheduled) this.#schedule();
  }

  get #waiting(): number {
    return this.#fresh.length + this.#long.length;
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#leftMs = AGENT_LIMITS.loopRoundMs;
      let now = performance.now();
      while (this.#waiting > 0 && this.#leftMs > 0) now = this.#run(now);
      if (this.#waiting > 0) this.#schedule();
    });
  }

  /** One slice of the next in turn. Returns the time at its end. */
  #run(start: number): number {
    const work = this.#next();
    if (work === undefined) return start;
    let now = start;
    let isMore = true;
    while (isMore && now - start < AGENT_LIMITS.loopSliceMs) {
      isMore = work.step();
      now = performance.now();
    }
    const usedMs = now - start;
    this.#leftMs -= usedMs;
    if (work.loopUse !== undefined) addUse(work.loopUse, usedMs);
    this.#queued.delete(work);
    if (!isMore) return now;
    if (usedMs < AGENT_LIMITS.loopSliceMs * 2) this.#requeue(work);
    else this.#pause(work, usedMs);
    return now;
  }

  #next(): SteppedWork | undefined {
    const isFresh = this.#fresh.length > 0 && (!this.#wasFresh || this.#long.length === 0);
    this.#wasFresh = isFresh;
    return (isFresh ? this.#fresh : this.#long).shift();
  }

  #pause(work: SteppedWork, ms: number): void {
    this.#pausing++;
    setTimeout(() => {
      this.#pausing--;
      this.add(work);
    }, ms);
  }

  #requeue(work: SteppedWork): void {
    this.#queued.add(work);
    this.#long.push(work);
  }
}

/** The loop is one, so its shares are those of the process. */
export const PROCESS_LOOP = new OutputShare();
