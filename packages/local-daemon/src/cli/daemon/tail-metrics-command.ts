import { setTimeout as delay } from "node:timers/promises";
import { type GetMetricsResult, METHODS, type MetricMinute } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { countOf } from "../arguments.js";
import type { CommandLine } from "../command-line.js";
import { callRunningDaemon } from "../daemon-call.js";
import { EXIT } from "../fail.js";
import { type Column, printTable } from "../table.js";
import type { Terminal } from "../terminal.js";
import { timeText } from "../time-text.js";

/** Adds `tail-metrics`. */
export function addTailMetricsCommand(program: Command, cli: CommandLine): void {
  cli
    .command(
      program,
      "tail-metrics",
      "print the last hour of the running daemon by minutes, then each further minute until Ctrl-C",
      "one minute per line; with --counts one metric per line",
    )
    .option("-n, --minutes <n>", "how many minutes from the end", countOf, 60)
    .option("--once", "end after the last whole minute", false)
    .option("--counts", "print what was counted since the start instead, and end", false)
    .action(
      cli.action(
        (context, options: { minutes: number; once: boolean; counts: boolean }) =>
          tailMetrics({ ...context, ...options }),
        "abort",
      ),
    );
}

/** Options of `local-daemon tail-metrics`. */
export interface TailMetricsOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
  readonly interrupted: AbortSignal;
  readonly minutes: number;
  readonly once: boolean;
  readonly counts: boolean;
}

/** Longest wait for a minute that is about to end: the clocks of daemon and command line are the same, their timers are not. */
const LEAST_WAIT_MS = 250;

/** Prints whole minutes as they end. Rejects with `DAEMON_NOT_RUNNING`. */
export async function tailMetrics(options: TailMetricsOptions): Promise<number> {
  const { stateDir, json, terminal, interrupted, once, counts } = options;
  using call = await callRunningDaemon(stateDir);
  const read = () => call.engine.request(METHODS.getMetrics, {}, { signal: interrupted });
  if (counts) {
    printCounts(await read(), options);
    return EXIT.ok;
  }
  let printed = Number.NEGATIVE_INFINITY;
  let most = options.minutes;
  if (!json) terminal.note(lineOf(COLUMNS.map(({ title }) => title)));
  while (!interrupted.aborted) {
    const { at, minutes } = await read();
    const whole = minutes.slice(0, -1).filter((minute) => minute.at > printed);
    // A daemon that has just started has no whole minute: what there is of it says more than nothing.
    const shown = once && whole.length === 0 ? minutes : whole.slice(most > 0 ? -most : whole.length);
    if (json) for (const minute of shown) terminal.json(minute);
    else for (const minute of shown) terminal.answer(`${lineOf(COLUMNS.map(({ text }) => text(minute)))}\n`);
    if (once) return EXIT.ok;
    printed = whole.at(-1)?.at ?? printed;
    most = minutes.length;
    const endsAt = (minutes.at(-1)?.at ?? at) + MINUTE_MS;
    await delay(Math.max(LEAST_WAIT_MS, endsAt - at), undefined, { signal: interrupted }).catch(() => {});
  }
  return EXIT.interrupted;
}

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

/** Of a fixed width: lines that come minutes later stand below those of before. */
const COLUMNS: readonly Column<MetricMinute>[] = [
  { title: "minute", text: ({ at }) => timeText(at) },
  { title: "events", text: ({ events }) => String(events) },
  { title: "turns", text: ({ turns }) => String(turns) },
  { title: "p50 ms", text: ({ latencyP50Ms }) => tenths(latencyP50Ms) },
  { title: "p99 ms", text: ({ latencyP99Ms }) => tenths(latencyP99Ms) },
  { title: "lag ms", text: ({ loopLagMs }) => (loopLagMs === undefined ? "-" : String(loopLagMs)) },
  { title: "rss MiB", text: ({ rssBytes }) => String(Math.round(rssBytes / MIB)) },
];

const WIDTHS = [19, 8, 6, 8, 8, 7, 8];

function lineOf(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padStart(WIDTHS[index] ?? 0)).join(" ");
}

function tenths(ms: number | undefined): string {
  return ms === undefined ? "-" : ms.toFixed(1);
}

interface CountLine {
  readonly name: string;
  readonly value: string;
  readonly help: string;
}

const COUNT_COLUMNS: readonly Column<CountLine>[] = [
  { title: "metric", text: ({ name }) => name },
  { title: "value", text: ({ value }) => value },
  { title: "what", text: ({ help }) => help, style: "dim", isCut: true },
];

function printCounts({ metrics }: GetMetricsResult, { json, terminal }: TailMetricsOptions): void {
  if (json) for (const metric of metrics) terminal.json(metric);
  else printTable(terminal, COUNT_COLUMNS, metrics.flatMap(linesOf));
}

/** A line for each sample; of a histogram its mean. */
function linesOf({ name, type, help, samples }: GetMetricsResult["metrics"][number]): CountLine[] {
  return samples.map(({ labels = {}, value, count }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
    const mean = count === undefined || count === 0 ? "-" : `${(value / count).toPrecision(3)} (mean of ${count})`;
    return {
      name: pairs.length === 0 ? name : `${name} ${pairs.join(" ")}`,
      value: type === "histogram" ? mean : String(Math.round(value * 1000) / 1000),
      help,
    };
  });
}
