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
  /** Longest time for which the event loop was held since the last question, in ms. */
  readonly heldMs: number;
}

/** Lets the bench ask this process for its {@link ProcessFigures}. */
export function answerFigures(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  process.on("message", ({ figures }: { figures?: "cpu" | "memory" }) => {
    if (figures === "memory") collect();
    if (figures === undefined) return;
    process.send?.({ ...figuresHere(), heldMs: delay.max / 1e6 } satisfies ProcessFigures);
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
export async function figuresOf(role: RoleProcess, kind: "cpu" | "memory"): Promise<ProcessFigures> {
  const answer = once(role.child, "message") as Promise<[ProcessFigures]>;
  role.tell({ figures: kind });
  return (await answer)[0];
}
