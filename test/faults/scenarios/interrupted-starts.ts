import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import { START_FAILPOINTS, spawnDaemon } from "../../../packages/local-daemon/test/support/failpoints.js";
import type { FaultScenario } from "../scenario.js";
import { daemonHome, ended } from "../support/daemon-home.js";

const PUBLISHED = ["daemon.sock", "endpoint.json", "lock.db", "token"];

/** D3: a start that was cut off. */
export const interruptedStartScenarios: readonly FaultScenario[] = [
  {
    id: "D3",
    title: "a daemon that dies between any two steps of its start is no obstacle to the next one",
    isQuick: true,
    limitMs: 240_000,
    async run(context) {
      const chosen = context.some(START_FAILPOINTS, 2);
      let slowest = 0;
      for (const failpoint of chosen) slowest = Math.max(slowest, await startOver(failpoint));
      return `${chosen.length} failpoints, each followed by a start that needed no help; the slowest took ${slowest} ms`;
    },
  },
];

/** How long the next start took, in milliseconds. */
async function startOver(failpoint: string): Promise<number> {
  await using home = daemonHome();
  const exit = await once(spawnDaemon(home.state, failpoint), "exit");
  assert.deepEqual(exit, [null, "SIGKILL"], `it dies at ${failpoint}`);
  const started = performance.now();
  const daemon = await ensureLocalDaemon({ stateDir: home.state });
  const took = Math.round(performance.now() - started);
  assert.equal(daemon.started, true, failpoint);
  const names = readdirSync(home.state).filter((name) => !/^daemon\.(db|log)/.test(name));
  assert.deepEqual(names.sort(), PUBLISHED, `${failpoint}: nothing stale is left`);
  await ended(daemon.pid ?? 0, "SIGTERM");
  return took;
}
