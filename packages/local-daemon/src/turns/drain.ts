import { AGENT_LIMITS } from "../limits/index.js";
import type { TurnQueue } from "./turn-queue.js";

/** How the running turns ended while the daemon stopped. */
export interface Drained {
  /** Number that ended by themselves in time. */
  readonly finished: number;
  /** Number that ended by an interrupt, or by the daemon when the agent did not react. */
  readonly interrupted: number;
}

/**
 * Waits `drainMs` for the running turns, then interrupts them. Resolves when none runs. The journals contain each end.
 *
 * @param cut ends the waiting early
 * @param why why they are interrupted, which their ends state
 */
export async function drainTurns(
  queues: readonly TurnQueue[],
  drainMs: number,
  cut?: AbortSignal,
  why = "The daemon stopped.",
): Promise<Drained> {
  const running = queues.filter(({ active }) => active !== undefined);
  const allIdle = Promise.all(running.map((turns) => turns.whenIdle()));
  if (await within(drainMs, allIdle, cut)) return { finished: running.length, interrupted: 0 };
  const late = running.filter(({ active }) => active !== undefined);
  for (const turns of late) void turns.interruptRunning(why);
  if (!(await within(AGENT_LIMITS.drainInterruptMs, allIdle))) {
    for (const turns of late) turns.endRunning({ reason: "cancelled", details: { message: why } });
  }
  return { finished: running.length - late.length, interrupted: late.length };
}

/** Whether `work` finished in time, and before `cut` was aborted. */
async function within(ms: number, work: Promise<unknown>, cut?: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), cut?.aborted === true ? 0 : ms);
    cut?.addEventListener("abort", () => resolve(false), { once: true });
  });
  return Promise.race([work.then(() => true), over]).finally(() => clearTimeout(timer));
}
