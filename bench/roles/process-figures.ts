import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { RoleProcess } from "./role.js";

/** What a process takes. */
export interface ProcessFigures {
  /** Processor time so far, in µs. */
  readonly cpuMicros: number;
  /** Bytes. Memory is what stays after a collection, when that was asked for. */
  readonly rss: number;
  readonly heap: number;
  /** Longest time for which the event loop was held since the last question about the loop, in ms; 0 at the first one. */
  readonly heldMs: number;
}

/** What a question is about. */
export type FiguresKind = "cpu" | "memory" | "loop";

/**
 * Lets the bench ask this process for its {@link ProcessFigures}. The loop is watched from the first question about it on: the watch is a
 * timer of a millisecond, which alone costs an idle process some percent of a core.
 */
export function answerFigures(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let isWatched = false;
  process.on("message", ({ figures }: { figures?: FiguresKind }) => {
    if (figures === undefined) return;
    if (figures === "memory") collect();
    process.send?.({ ...figuresHere(), heldMs: isWatched ? delay.max / 1e6 : 0 } satisfies ProcessFigures);
    if (figures !== "loop") return;
    if (!isWatched) isWatched = delay.enable();
    delay.reset();
  });
}

/** Those of this process, as they are. */
export function figuresHere(): Omit<ProcessFigures, "heldMs"> {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuMicros: user + system, rss, heap: heapUsed };
}

/** Asks a role for its figures. */
export async function figuresOf(role: RoleProcess, kind: FiguresKind): Promise<ProcessFigures> {
  const answer = once(role.child, "message") as Promise<[ProcessFigures]>;
  role.tell({ figures: kind });
  return (await answer)[0];
}
