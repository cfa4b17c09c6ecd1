import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { type FoundDaemon, probeLocalDaemon } from "../../src/rendezvous/probe.js";
import { TestClient } from "../sessions/harness.js";
import { failpointBuild } from "./failpoint-build.js";

/** Starts the daemon as a program that is killed at that failpoint, or never. */
export function spawnDaemon(state: string, failpoint?: string): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: state };
  return spawn(process.execPath, [failpointBuild().daemon], {
    env: failpoint === undefined ? env : { ...env, DAEMON_TEST_FAILPOINT: failpoint },
    stdio: "inherit",
  });
}

/** As {@link spawnDaemon}, once it serves, with a client of it. */
export async function startDaemon(state: string, failpoint?: string) {
  const child = spawnDaemon(state, failpoint);
  let found: FoundDaemon | undefined;
  while (found?.record.pid !== child.pid) {
    await delay(10);
    found?.link.transport.terminate();
    found = await probeLocalDaemon(state);
  }
  const client = new TestClient((found as FoundDaemon).link.transport);
  await client.authenticate((found as FoundDaemon).link.credential);
  return { child, client };
}
