/** What held the event loop, and for how long. */
export interface LoopUse {
  /** Names the work, such as `agent of session …`. */
  readonly what: string;
  readonly ms: number;
}

/** Time that each kind of work held the loop since the last {@link takeUses}. Of the thread, as the loop is. */
const spent = new Map<string, number>();
let isCounting = false;

/** Switches the counting on or off; off, {@link inLoop} costs nothing. */
export function countUses(counts: boolean): void {
  isCounting = counts;
  spent.clear();
}

/**
 * Runs work, and counts for how long it held the loop. What it does after an `await` is not counted.
 *
 * @param what names the work for the log, with the session, the agent or the client that causes it
 */
export function inLoop<Result>(what: string, work: () => Result): Result {
  if (!isCounting) return work();
  const from = performance.now();
  try {
    return work();
  } finally {
    addUse(what, performance.now() - from);
  }
}

/** Counts work that was measured elsewhere. */
export function addUse(what: string, ms: number): void {
  if (isCounting) spent.set(what, (spent.get(what) ?? 0) + ms);
}

/** What held the loop since the last call, the longest first. */
export function takeUses(): LoopUse[] {
  const uses = [...spent].map(([what, ms]) => ({ what, ms }));
  spent.clear();
  return uses.sort((one, other) => other.ms - one.ms);
}
