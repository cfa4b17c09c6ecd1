import { readFileSync } from "node:fs";
import { within } from "../stress/check.js";
import { createContext, type FaultScenario } from "./scenario.js";
import type { Watch } from "./watch.js";

const LIMIT_MS = 60_000;
/** A sample may run on a machine that has much else to do. */
const SAMPLE_ROOM = 3;

/** What became of a scenario, and the line that says so. */
export interface Outcome {
  readonly id: string;
  readonly state: "passed" | "failed" | "cannot run";
  readonly line: string;
}

/** What a run was asked for on its command line. */
export interface RunOptions {
  readonly seed: number;
  readonly scale: number;
  readonly minutes: number;
  readonly part?: string | undefined;
}

/** Runs one scenario and looks at what it left. A scenario that nobody has written has failed: it proves nothing. */
export async function runScenario(
  id: string,
  scenario: FaultScenario | undefined,
  options: RunOptions,
  watch: Watch,
): Promise<Outcome> {
  const name = id.padEnd(4);
  if (scenario === undefined) return { id, state: "failed", line: `${name} FAIL not written` };
  const reason = scenario.cannotRun?.();
  if (reason !== undefined) return { id, state: "cannot run", line: `${name} --   cannot run here: ${reason}` };
  const context = createContext({ id, slowness: measureSlowness, ...options });
  const before = watch.look();
  const started = performance.now();
  const usedBefore = processorSeconds();
  const limitMs = (scenario.limitMs ?? LIMIT_MS) * (context.isSample ? SAMPLE_ROOM : 1);
  const ran = await within(limitMs, scenario.run(context)).then(
    (figure) => ({ figure, error: undefined }),
    (error: unknown) => ({ figure: undefined, error: error instanceof Error ? (error.stack ?? "") : String(error) }),
  );
  const left = await watch.leftSince(before);
  // A sample is held to no mark of speed, and the look costs processor time.
  const slowness = context.isSample ? 1 : measureSlowness();
  const used = (processorSeconds() - usedBefore).toFixed(1);
  const took = `${((performance.now() - started) / 1000).toFixed(1)} s, processor ${used} s${slowness > 1.3 ? `, busy × ${slowness.toFixed(1)}` : ""}`;
  if (ran.error === undefined && left.length === 0) {
    return { id, state: "passed", line: `${name} ok   ${ran.figure} (${took})` };
  }
  watch.endProcessesSince(before);
  const why = [...(ran.error === undefined ? [] : [ran.error]), ...left].join("\n").replaceAll("\n", "\n     ");
  return { id, state: "failed", line: `${name} FAIL ${scenario.title} (${took})\n     ${why}` };
}

/** Ticks of `/proc` in a second. */
const TICKS = 100;

/** Processor time of this process and of its children that have ended; of this process alone where there is no `/proc`. */
function processorSeconds(): number {
  try {
    // Behind the name, which may hold anything.
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
}

const SAMPLE_MS = 60;

/** Wall time over processor time of something that only computes: 1 where a core is free for it. */
function measureSlowness(): number {
  const cpu = process.cpuUsage();
  const started = performance.now();
  while (performance.now() - started < SAMPLE_MS);
  const { user, system } = process.cpuUsage(cpu);
  return Math.max(1, (performance.now() - started) / ((user + system) / 1000));
}
