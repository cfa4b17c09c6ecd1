import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import { isAlive } from "../../test/support/daemon-process.js";
import type { Measure } from "../measure.js";

const EMPTY = "node -e 0";
const START = "start a daemon: ensureLocalDaemon()";
const FIRST = "start, connect, first request";

/** No daemon → a running one → its first answer, beside the start and end of an empty Node process. */
export const coldStart: Measure = {
  name: "cold-start",
  title: "Cold start: nothing runs, to the daemon's first answer",
  unit: "ms",
  better: "less",
  limit: EMPTY,
  rounds: 7,
  bars: [
    { contestant: START, of: EMPTY, atMost: 1.8 },
    { contestant: FIRST, of: EMPTY, atMost: 2 },
  ],
  open() {
    return Promise.resolve({
      contestants: [
        { name: EMPTY, round: emptyNode },
        { name: START, round: () => startDaemon(false) },
        { name: FIRST, round: () => startDaemon(true) },
      ],
      close: () => Promise.resolve(),
    });
  },
};

async function emptyNode(): Promise<number> {
  const started = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - started;
}

async function startDaemon(asksSomething: boolean): Promise<number> {
  const stateDir = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
  process.env.DAEMON_SDK_HOME = stateDir;
  try {
    const started = performance.now();
    if (asksSomething) await firstAnswer();
    else await ensureLocalDaemon();
    const elapsed = performance.now() - started;
    await stopDaemon();
    return elapsed;
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function firstAnswer(): Promise<void> {
  await using connection = await connectDaemon();
  await connection.listOpenedSessions();
}

async function stopDaemon(): Promise<void> {
  const { pid = 0 } = await ensureLocalDaemon();
  process.kill(pid, "SIGTERM");
  while (isAlive(pid)) await new Promise((again) => setTimeout(again, 5));
}
