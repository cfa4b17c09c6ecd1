import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, platform, release } from "node:os";
import { join } from "node:path";
import type { Measure, Outcome } from "./measure.js";

const NAME_WIDTH = 44;
const RESULTS = join("bench", "results");

/** Where these figures come from, in one line each. */
export function describeMachine(): string {
  const { node, cpu, cores, system, versions } = machine();
  const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Node ${node}, ${cores} × ${cpu}, ${system}\n${libraries.join(", ")}`;
}

/** Prints one measure as a table: median, span, and how the median compares with the limit's. */
export function printOutcomes(measure: Measure, outcomes: readonly Outcome[]): void {
  console.log(`\n${measure.title} [${measure.unit}, ${measure.better} is better]`);
  for (const { contestant, median, min, max, ofLimit } of outcomes) {
    const isLimit = contestant === measure.limit;
    const span = `${format(min)}–${format(max)}`;
    const ratio = isLimit ? "limit" : `${ofLimit.toFixed(2)} × limit`;
    console.log(`  ${contestant.padEnd(NAME_WIDTH)} ${format(median).padStart(9)}  ${span.padEnd(19)}  ${ratio}`);
  }
}

/** Writes everything as JSON under `bench/results`, and returns the path. */
export function writeResults(outcomes: readonly Outcome[]): string {
  const date = new Date().toISOString();
  mkdirSync(RESULTS, { recursive: true });
  const path = join(RESULTS, `${date.replaceAll(":", "-")}.json`);
  writeFileSync(path, `${JSON.stringify({ date, machine: machine(), outcomes }, null, 2)}\n`);
  return path;
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
  return figure >= 100 ? Math.round(figure).toLocaleString("en") : figure.toFixed(1);
}
