import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAgent, tempDir } from "./agent-harness.js";

test("the agent printed in docs/agents.md is a whole agent", async () => {
  const document = await readFile(new URL("../../../../docs/agents.md", import.meta.url), "utf8");
  const [, program] = /```js\n([\s\S]*?)```/.exec(document) ?? [];
  await using directory = await tempDir();
  const path = join(directory.path, "agent.mjs");
  await writeFile(path, program ?? "");

  await using running = await openAgent({ command: [process.execPath, path] });
  await running.prompt("hello there");
  expect(await running.witness.turnEnd(1)).toEqual({ reason: "completed", details: {} });
  await running.prompt(", once more");
  expect(await running.witness.turnEnd(2)).toEqual({ reason: "completed", details: {} });
  expect(running.witness.text).toBe("hello there, once more");
  await running.agent.interrupt();
  await expect(running.agent.call("list_skills", {}, 5_000)).rejects.toMatchObject({ code: "METHOD_NOT_FOUND" });
  expect(await running.agent.stop()).toMatchObject({ exitCode: 0, expected: true, stderr: "" });
  expect(running.agent.counters).toEqual({ badLines: 0, badFrames: 0, strayResponses: 0 });
});
