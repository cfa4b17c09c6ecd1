import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, platform, release } from "node:os";
import { join } from "node:path";
import type { Bar, Measure, MeasureResult, Outcome, Verdict } from "./measure.js";
import { plotsOf } from "./plots.js";

const NAME_WIDTH = 52;
const RESULTS = join("bench", "results");
const IMAGES = join("docs", "images");

/** A measure that ran. */
export interface Ran {
  readonly measure: Measure;
  readonly result: MeasureResult;
  readonly verdicts: readonly Verdict[];
}

/** Where these figures come from, in one line each. */
export function describeMachine(): string {
  const { node, cpu, cores, system, load, commit, versions } = machine();
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Node ${node}, ${cores} × ${cpu}, ${system}, load ${load?.toFixed(1)}, commit ${commit}\n${libraries.join(", ")}`;
}

/** Prints one measure as a table: median, span, and how the median compares with the limit's; then its bars. */
export function printResult({ measure, result, verdicts }: Ran): void {
  console.log(`\n${measure.title} [${measure.unit}, ${measure.better} is better]`);
  for (const outcome of result.outcomes) {
    const span = `${format(outcome.min)}–${format(outcome.max)}`;
    console.log(
      `  ${labelOf(outcome).padEnd(NAME_WIDTH)} ${format(outcome.median).padStart(9)}  ${span.padEnd(19)}  ${ratioOf(measure, outcome)}`,
    );
  }
  for (const line of result.absent) console.log(`  absent: ${line}`);
  for (const verdict of verdicts) console.log(`  ${describeVerdict(verdict)}`);
}

/** A bar and how it came out, in one line. */
export function describeVerdict({ bar, reached, isReached }: Verdict): string {
  return `${isReached ? "reached" : "MISSED"}  ${describeBar(bar)}: ${format(reached)}`;
}

function describeBar({ contestant, figure, of, ofFigure, atLeast, atMost }: Bar): string {
  const what = figure === undefined ? contestant : `${contestant}, ${figure}`;
  const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  const to = of === undefined ? "" : ` × ${of}${ofFigure === undefined ? "" : `, ${ofFigure}`}`;
  return `${what} ${bound}${to}`;
}

/**
 * Writes everything as JSON under `bench/results`, and returns its path. Of a whole run also `latest.md` there, and the pictures of
 * the docs.
 */
export function writeResults(all: readonly Ran[], isWhole: boolean): string {
  const date = new Date().toISOString();
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${date.replaceAll(":", "-")}.json`);
  const outcomes = all.flatMap(({ result }) => result.outcomes);
  const verdicts = all.flatMap((ran) => ran.verdicts);
  writeFileSync(path, `${JSON.stringify({ date, machine: machine(), outcomes, verdicts }, null, 2)}\n`);
  if (isWhole) writeFileSync(join(RESULTS, "latest.md"), markdown(date, all));
  if (isWhole) draw(outcomes);
  return path;
}

/** Draws the pictures of the docs from results that were written before. */
export function drawFrom(path: string): void {
  draw((JSON.parse(readFileSync(path, "utf8")) as { outcomes: Outcome[] }).outcomes);
}

function draw(outcomes: readonly Outcome[]): void {
  for (const [name, svg] of plotsOf(outcomes)) writeFileSync(join(IMAGES, name), svg);
}

function markdown(date: string, all: readonly Ran[]): string {
  const tables = all.map((ran) => {
    const { measure, result, verdicts } = ran;
    const rows = result.outcomes.map(
      (outcome) =>
        `| ${labelOf(outcome)} | ${format(outcome.median)} | ${format(outcome.min)}–${format(outcome.max)} | ${ratioOf(measure, outcome)} |`,
    );
    const notes = [...result.absent.map((line) => `absent: ${line}`), ...verdicts.map(describeVerdict)];
    return [
      `### ${measure.title}`,
      "",
      `| ${measure.unit}, ${measure.better} is better | median | span | ratio |`,
      "|---|---|---|---|",
      ...rows,
      ...(notes.length > 0 ? ["", ...notes.map((note) => `- ${note}`)] : []),
    ].join("\n");
  });
  return `${[`Measured ${date}. ${describeMachine().replace("\n", "; ")}.`, ...tables].join("\n\n")}\n`;
}

function labelOf({ contestant, figure }: Outcome): string {
  return figure === undefined ? contestant : `… ${figure}`;
}

function ratioOf(measure: Measure, { contestant, figure, ofLimit }: Outcome): string {
  if (contestant === measure.limit) return figure === undefined ? "limit" : "";
  return ofLimit === undefined ? "" : `${ofLimit.toFixed(2)} × limit`;
}

function machine() {
  return {
    node: process.versions.node,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    system: `${platform()} ${release()}`,
    load: loadavg()[0],
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
    versions: { ws: versionOf("ws"), zod: versionOf("zod") },
  };
}

function versionOf(name: string): string {
  const path = createRequire(join(process.cwd(), "package.json")).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function format(figure: number): string {
  if (figure >= 100) return Math.round(figure).toLocaleString("en");
  return figure.toFixed(figure < 10 ? 2 : 1);
}
