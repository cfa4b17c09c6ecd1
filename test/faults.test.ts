import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "./support/packages.js";

/** For what hangs: each scenario has a limit of its own. */
const SAMPLE_MS = 540_000;
/** Most scenarios wait most of their time; none is held to a mark of speed here. */
const AT_ONCE = 4;

/** What a line of the run says: the id, and whether it passed. A scenario that cannot run here says `--`. */
const LINE = /^([A-Z]\d+)\s+(ok|FAIL|--)/;

test("the quick fault scenarios hold at a fiftieth of their size", { timeout: SAMPLE_MS }, async () => {
  const { said, code } = await runSample();
  const outcomes = said.split("\n").flatMap((line) => LINE.exec(line)?.slice(1, 3).join(" ") ?? []);
  expect(
    outcomes.filter((line) => line.endsWith("FAIL")),
    said,
  ).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(40);
  expect(said).toMatch(/^\d+ passed, 0 failed$/m);
  expect(code, said).toBe(0);
});

async function runSample(): Promise<{ said: string; code: number | null }> {
  const args = ["--built", "--sample", "--at-once", String(AT_ONCE)];
  const child = spawn(process.execPath, [join(ROOT, "scripts", "test-faults.mjs"), ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own, which ends with the test, also where that gave up.
    detached: true,
  });
  onTestFinished(() => endGroup(child.pid));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  return { said, code };
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
