import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { expect, test } from "vitest";
import { startDaemonProcess } from "../../../test/support/daemon-process.js";
import { linesUntil, startProgram } from "./bot-process.js";

test("two schedulers run a job once for each time of its schedule, and both report it", async () => {
  await using daemon = await startDaemonProcess();
  const cwd = daemon.workspace;
  const prompt = "append runs.txt: ran\\n\ncount 5 every 50";
  const path = join(daemon.stateDir, "jobs.json");
  const job = { name: "nightly", schedule: "* * * * * *", prompt, cwd, timeLimitMs: 30_000 };
  writeFileSync(path, JSON.stringify([job]));
  const schedulers = [startProgram("automation", [path]), startProgram("automation", [path])] as const;
  const ended = schedulers.map((child) => new Promise((resolve) => child.once("exit", resolve)));
  try {
    // Both report the same run.
    const [first, second] = await Promise.all(schedulers.map((child) => linesUntil(child, /completed/)));
    expect(first?.at(-1)).toBe("scheduling");
    expect(second?.at(-1)).toBe("scheduling");
  } finally {
    for (const child of schedulers) child.kill("SIGKILL");
    await Promise.all(ended);
  }
  const connection = await connectDaemon();
  const { sessions } = await connection.listAvailableSessions();
  const receipts = await Promise.all(sessions.map(({ sessionId: id }) => connection.waitForReceipt(id, id)));
  await connection.close();
  // One that was killed between its two calls has made a session without a message.
  const runs = receipts.filter(({ state }) => state !== "unknown");
  expect(runs.length).toBeGreaterThan(0);
  expect(runs.map(({ state }) => state)).toEqual(runs.map(() => "completed"));
  expect(readFileSync(join(cwd, "runs.txt"), "utf8")).toBe("ran\n".repeat(runs.length));
});
