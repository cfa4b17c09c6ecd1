import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  const pidFile = join(directory, "left-behind");
  const { code, output } = await vitest(
    `
    import { spawn } from "node:child_process";
    import { writeFileSync } from "node:fs";
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore", detached: true });
    child.unref();
    writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
  `,
    { DAEMON_SDK_TEST_GRACE_MS: "200" },
  );
  const pid = Number(readFileSync(pidFile, "utf8"));
  process.kill(pid, "SIGKILL");
  expect(output).toMatch(/left \d+ processes behind/);
  expect(output).toContain(`\n${pid} `);
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
async function vitest(body: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; output: string }> {
  const imports = body.match(/import .*;/g)?.join("\n") ?? "";
  const rest = body.replaceAll(/import .*;/g, "");
  const file = join(directory, `${Math.abs(hash(body))}.test.ts`);
  writeFileSync(file, `import { test } from "vitest";\n${imports}\ntest("passes", () => {${rest}\n});\n`);
  const child = spawn("node_modules/.bin/vitest", ["run", file], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  rmSync(file);
  return { code, output };
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) | 0, 7);
}
