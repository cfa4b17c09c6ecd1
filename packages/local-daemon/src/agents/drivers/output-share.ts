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
 *
 * While others write little, one that writes without end gets `loopShare` of the time, and pauses when it had more. Otherwise the
 * daemon never sleeps, and where other processes want its core, too, the system lets it wait when the others need it. Without
 * others it gets all of the time.
 */
export class OutputShare {
  /** Work that is new … */
  readonly #fresh: SteppedWork[] = [];
  /** … and work that was not done within its last slice. They are served alternately. */
  readonly #long: SteppedWork[] = [];
  #wasFresh = false;
  /** What waits or pauses. */
  readonly #queued = new Set<SteppedWork>();
  /** How many took too long, and wait. */
  #pausing = 0;
  /** What each had beyond its share of the time, as of when. */
  readonly #owed = new WeakMap<SteppedWork, { ms: number; at: number }>();
  /** The last one that owed little, and when that was. */
  #light: SteppedWork | undefined;
  #lightAt = Number.NEGATIVE_INFINITY;
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
    const pauseMs = this.#pauseOf(work);
    if (pauseMs > 0) this.#pause(work, pauseMs);
    else this.#begin(work);
  }

  #begin(work: SteppedWork): void {
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
    this.#owe(work, usedMs, now);
    if (!isMore) {
      this.#queued.delete(work);
      return now;
    }
    const pauseMs = Math.max(usedMs < AGENT_LIMITS.loopSliceMs * 2 ? 0 : usedMs, this.#pauseOf(work));
    if (pauseMs > 0) this.#pause(work, pauseMs);
    else this.#long.push(work);
    return now;
  }

  #owe(work: SteppedWork, usedMs: number, now: number): void {
    const { loopShare, loopOwedMaxMs, loopLightMs } = AGENT_LIMITS;
    const owed = this.#owed.get(work) ?? { ms: 0, at: now };
    owed.ms = Math.min(loopOwedMaxMs, Math.max(0, owed.ms - (now - owed.at) * loopShare) + usedMs);
    owed.at = now;
    this.#owed.set(work, owed);
    if (owed.ms > loopLightMs) return;
    this.#light = work;
    this.#lightAt = now;
  }

  /** How long one that had more than its share has to wait now, for others that write little. */
  #pauseOf(work: SteppedWork): number {
    const { loopShare, loopOwedMs, loopLightForMs } = AGENT_LIMITS;
    const owed = this.#owed.get(work);
    if (owed === undefined || owed.ms <= loopOwedMs || this.#light === work) return 0;
    const now = performance.now();
    if (now - this.#lightAt > loopLightForMs) return 0;
    const ms = owed.ms - (now - owed.at) * loopShare;
    return ms <= loopOwedMs ? 0 : (ms - loopOwedMs / 2) / loopShare;
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
      this.#begin(work);
    }, ms);
  }
}

/** The loop is one, so its shares are those of the process. */
export const PROCESS_LOOP = new OutputShare();
