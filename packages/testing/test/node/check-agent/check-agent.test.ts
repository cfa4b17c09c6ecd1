import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runCheckAgent } from "../../../src/node/check-agent/index.js";

const ACP_AGENT = fileURLToPath(new URL("../../../../local-daemon/test/fixtures/acp-echo.mjs", import.meta.url));

async function run(...args: string[]): Promise<{ code: number; output: string }> {
  let output = "";
  const code = await runCheckAgent(args, (text) => {
    output += text;
  });
  return { code, output };
}

test("a broken law is printed with the reason, skipped ones with what they need, and the exit code is 1", async () => {
  const { code, output } = await run(
    "check-agent",
    "--driver",
    "acp",
    "--patience",
    "20000",
    "--",
    process.execPath,
    ACP_AGENT,
  );
  expect(code).toBe(1);
  expect(output).toContain("ok       C1-lines: stdout holds one message a line, and nothing else\n");
  expect(output).toMatch(/failed {3}C5-new-session: .*\n {9}two sessions have the same id, or an empty one\n/);
  expect(output).toMatch(/skipped {2}C17-cancel: .* \(not offered: endless\)\n/);
  expect(output).toMatch(/\n\d+ passed, \d+ failed\n$/);
});

test("the options of the command belong to the command", async () => {
  const { code, output } = await run(
    "check-agent",
    "--patience",
    "20000",
    process.execPath,
    "/no/such/agent.mjs",
    "--driver",
    "nonsense",
  );
  expect(code).toBe(1);
  expect(output).toContain("Cannot find module");
  expect(output).toMatch(/\n0 passed, \d+ failed\n$/);
});

test.each([
  [["check-agent"], "the program of an agent"],
  [["check-agent", "--driver", "smoke", "node"], "stream-jsonrpc or acp"],
  [["check-agent", "--nonsense", "node"], "--nonsense"],
  [["check-agent", "--patience", "soon", "node"], "a number of milliseconds"],
  [["what"], "check-agent"],
])("wrong usage is named, and the exit code is 2: %j", async (args, expected) => {
  const { code, output } = await run(...args);
  expect(code).toBe(2);
  expect(output).toContain(expected);
  expect(output).toContain("Usage:");
});
