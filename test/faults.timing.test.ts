import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./support/packages.js";

const SAMPLE_MS = 240_000;

/** What a line of the run says: the id, and whether it passed. A scenario that cannot run here says `--`. */
const LINE = /^([A-Z]\d+)\s+(ok|FAIL|--)/;

test("the quick fault scenarios hold at a twentieth of their size", { timeout: SAMPLE_MS }, async () => {
  const args = [join(ROOT, "scripts", "test-faults.mjs"), "--built", "--sample"];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code] = await once(child, "close");
  const outcomes = said.split("\n").flatMap((line) => LINE.exec(line)?.slice(1, 3).join(" ") ?? []);
  expect(
    outcomes.filter((line) => line.endsWith("FAIL")),
    said,
  ).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(20);
  expect(said).toContain(`${outcomes.filter((line) => line.endsWith("ok")).length} passed, 0 failed`);
  expect(code).toBe(0);
});
