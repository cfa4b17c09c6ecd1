import { AGENT_LIMITS } from "../limits/index.js";
import type { TurnQueue } from "./turn-queue.js";

/** How the turns ended that ran when the daemon began to stop. */
export interface Drained {
  /** By themselves, in time. */
  readonly finished: number;
  /** By an interrupt, or by the daemon where the agent did not react. */
  readonly interrupted: number;
}

/**
 * Lets the running turns finish for `drainMs`, then interrupts them. Resolves when none runs; the journals hold each end.
 *
 * @param cut ends the waiting early
 */
export async function drainTurns(queues: readonly TurnQueue[], drainMs: number, cut?: AbortSignal): Promise<Drained> {
  const running = queues.filter(({ active }) => active !== undefined);
  const allIdle = Promise.all(running.map((turns) => turns.whenIdle()));
  if (await within(drainMs, allIdle, cut)) return { finished: running.length, interrupted: 0 };
  const late = running.filter(({ active }) => active !== undefined);
  for (const turns of late) void turns.interruptRunning();
  if (!(await within(AGENT_LIMITS.drainInterruptMs, allIdle))) {
    for (const turns of late) turns.endRunning({ reason: "cancelled", details: { message: "The daemon stopped." } });
  }
  return { finished: running.length - late.length, interrupted: late.length };
}

/** Whether `work` was done within the time, and before `cut` was aborted. */
async function within(ms: number, work: Promise<unknown>, cut?: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), cut?.aborted === true ? 0 : ms);
    cut?.addEventListener("abort", () => resolve(false), { once: true });
  });
  return Promise.race([work.then(() => true), over]).finally(() => clearTimeout(timer));
}
