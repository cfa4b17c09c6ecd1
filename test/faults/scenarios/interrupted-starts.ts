import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import type { FaultScenario } from "../scenario.js";
import { daemonHome, ended } from "../support/daemon-home.js";
import { failpointProgram } from "../support/failpoint-program.js";

/** Between every two steps of a start, in their order; files are made, filled and renamed, the token before the endpoint. */
const FAILPOINTS = [
  "state-dir-opened",
  "lock-file-made",
  "locked",
  "socket-named",
  "leftovers-swept",
  "store-opened",
  "agents-reaped",
  "sessions-recovered",
  "relay-recovered",
  "socket-bound",
  "publishing",
  "private-file-made",
  "private-file-written",
  "private-file-renamed",
  "token-written",
  "socket-published",
  "private-file-made:2",
  "private-file-written:2",
  "private-file-renamed:2",
  "endpoint-written",
];
const PUBLISHED = ["daemon.sock", "endpoint.json", "lock.db", "token"];

/** D3: a start that was cut off. */
export const interruptedStartScenarios: readonly FaultScenario[] = [
  {
    id: "D3",
    title: "a daemon that dies between any two steps of its start is no obstacle to the next one",
    isQuick: true,
    limitMs: 240_000,
    async run(context) {
      using program = await failpointProgram();
      // A sample takes others each time.
      const first = context.below(FAILPOINTS.length);
      const chosen = [...FAILPOINTS.slice(first), ...FAILPOINTS.slice(0, first)].slice(0, context.count(20, 3));
      let slowest = 0;
      for (const failpoint of chosen) slowest = Math.max(slowest, await startOver(program.path, failpoint));
      return `${chosen.length} failpoints, each followed by a start that needed no help; the slowest took ${slowest} ms`;
    },
  },
];

/** How long the next start took, in milliseconds. */
async function startOver(program: string, failpoint: string): Promise<number> {
  await using home = daemonHome();
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, DAEMON_SDK_HOME: home.state, DAEMON_TEST_FAILPOINT: failpoint };
  const child = spawn(process.execPath, [program], { env, stdio: "inherit" });
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"], `it dies at ${failpoint}`);
  const started = performance.now();
  const daemon = await ensureLocalDaemon({ stateDir: home.state });
  const took = Math.round(performance.now() - started);
  assert.equal(daemon.started, true, failpoint);
  const names = readdirSync(home.state).filter((name) => !/^daemon\.(db|log)/.test(name));
  assert.deepEqual(names.sort(), PUBLISHED, `${failpoint}: nothing stale is left`);
  await ended(daemon.pid ?? 0, "SIGTERM");
  return took;
}
