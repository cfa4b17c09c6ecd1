import { type CaseResult, type DaemonCase, daemonContract, fakeDaemonHarness, runCase } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { realDaemonHarness } from "./real-daemon-harness.js";

/** Sessions start an agent process each, so cases of the real daemon run a few at a time. */
const AT_ONCE = 4;
/** Of all cases, how many have to run on both daemons (the rest needs timers, processes or a disk). */
const LEAST_SHARE = 0.8;

test("the fake and the real daemon keep the same laws, case by case", { timeout: 300_000 }, async () => {
  const fake = fakeDaemonHarness();
  const onFake = await runAll(daemonContract, (one) => runCase(one, fake));
  await using real = await realDaemonHarness();
  // Metrics are those of the whole daemon: a turn of another case would be among them.
  const isAlone = ({ needs = [] }: DaemonCase) => needs.includes("restart") || needs.includes("metrics");
  const alone = daemonContract.filter(isAlone);
  const together = daemonContract.filter((one) => !isAlone(one));
  const onReal = [
    ...(await runAll(together, (one) => runCase(one, real), AT_ONCE)),
    ...(await runAll(alone, (one) => runCase(one, real))),
  ];
  const rows = daemonContract.map(({ id }) => ({ id, fake: said(onFake, id), real: said(onReal, id) }));
  const both = rows.filter((row) => ![row.fake, row.real].some((outcome) => outcome.startsWith("skipped")));
  for (const row of rows) if (!both.includes(row)) console.log(`${row.id}: fake ${row.fake}, real ${row.real}`);
  expect(both.filter((row) => row.fake !== "passed" || row.real !== "passed")).toEqual([]);
  expect(rows.filter((row) => row.real !== "passed" && !row.real.startsWith("skipped"))).toEqual([]);
  expect(both.length / rows.length).toBeGreaterThanOrEqual(LEAST_SHARE);
});

/** Runs the cases, `atOnce` of them at a time. */
async function runAll(cases: readonly DaemonCase[], run: (one: DaemonCase) => Promise<CaseResult>, atOnce = 1) {
  const results: CaseResult[] = [];
  const waiting = [...cases];
  const worker = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) results.push(await run(one));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** An outcome as the comparison shows it: equal words mean equal results. */
function said(results: readonly CaseResult[], id: string): string {
  const result = results.find((one) => one.id === id);
  if (result === undefined) return "missing";
  return result.outcome === "passed" ? "passed" : `${result.outcome}: ${result.reason}`;
}
