import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "./support/packages.js";

// What the tests prove rests on the runner: these show that it fails when something goes wrong outside an assertion.
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(ROOT, "test", "runner-fixture-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("a rejection that nobody handles fails the run, though every test passed", async () => {
  const { code, output } = await vitest("void Promise.reject(new Error('nobody handles me'));");
  expect(output).toContain("nobody handles me");
  expect(code).not.toBe(0);
});

test("a process that a test leaves behind fails the run", async () => {
  const { code, output } = await vitest(`
    import { spawn } from "node:child_process";
    // Ends by itself: what is left behind here is left for a moment only.
    spawn(process.execPath, ["-e", "setTimeout(() => {}, 8000)"], { stdio: "ignore", detached: true }).unref();
  `);
  expect(output).toContain("left 1 processes behind");
  expect(code).not.toBe(0);
});

test("a prototype that a test changed fails the run", async () => {
  const { code } = await vitest(
    "Object.defineProperty(Object.prototype, 'polluted', { configurable: true, value: 1 });",
  );
  expect(code).not.toBe(0);
});

test("a run in which all is well ends with 0", async () => {
  const { code, output } = await vitest("");
  expect(code, output).toBe(0);
});

/** Runs the runner, as configured here, on one passing test whose body is `body`. */
async function vitest(body: string): Promise<{ code: number | null; output: string }> {
  const imports = body.match(/import .*;/g)?.join("\n") ?? "";
  const rest = body.replaceAll(/import .*;/g, "");
  const file = join(directory, `${Math.abs(hash(body))}.test.ts`);
  writeFileSync(file, `import { test } from "vitest";\n${imports}\ntest("passes", () => {${rest}\n});\n`);
  const child = spawn("node_modules/.bin/vitest", ["run", file], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  rmSync(file);
  return { code, output };
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) | 0, 7);
}
