import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type FoundDaemon, probeLocalDaemon } from "../../src/rendezvous/probe.js";
import { failpointBuild } from "../support/failpoint-build.js";
import { daemonHome } from "./daemon-home.js";

type Door = typeof import("../../src/index.js");

/** Between every two steps of a start, in their order. */
const START = [
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
  // The token first, then the endpoint: each is made, filled, renamed.
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

/** Between every two steps of an end. */
const END = ["withdrawing", "endpoint-withdrawn", "token-withdrawn", "socket-withdrawn"];

function startAt(state: string, failpoint: string): ChildProcess {
  return spawn(process.execPath, [failpointBuild().daemon], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: state, DAEMON_TEST_FAILPOINT: failpoint },
    stdio: "inherit",
  });
}

/** The next start, by somebody who knows nothing of the last one: it works, there is one daemon, and nothing stale. */
async function expectGoodStart(state: string): Promise<void> {
  const { ensureLocalDaemon } = createRequire(import.meta.url)(failpointBuild().index) as Door;
  const [one, other] = await Promise.all([1, 2].map(() => ensureLocalDaemon({ stateDir: state })));
  expect(one).toMatchObject({ kind: "ours", started: true });
  expect(other).toMatchObject({ pid: one?.pid });
  expect(JSON.parse(readFileSync(`${state}/endpoint.json`, "utf8"))).toMatchObject({ pid: one?.pid });
  const names = readdirSync(state).filter((name) => !/^daemon\.(db|log)/.test(name));
  expect(names.sort((a, b) => a.localeCompare(b))).toEqual(["daemon.sock", "endpoint.json", "lock.db", "token"]);
}

describe("a daemon that dies between two steps of its start (D3)", () => {
  test.each(START)("at `%s` is no obstacle to the next one, and leaves nothing behind", async (failpoint) => {
    await using home = daemonHome();
    const child = startAt(home.state, failpoint);
    expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
    await expectGoodStart(home.state);
  });

  test("twice in a row, at another step, is none either", async () => {
    await using home = daemonHome();
    for (const failpoint of ["socket-published", "private-file-written", "socket-bound"]) {
      expect(await once(startAt(home.state, failpoint), "exit")).toEqual([null, "SIGKILL"]);
    }
    await expectGoodStart(home.state);
  });
});

describe("a daemon that dies between two steps of its end (D3)", () => {
  test.each(END)("at `%s` is no obstacle to the next one", async (failpoint) => {
    await using home = daemonHome();
    const child = startAt(home.state, failpoint);
    // Not by asking for one: that might start another, which would win when this one ends.
    for (let found: FoundDaemon | undefined; found === undefined; await delay(10)) {
      found = await probeLocalDaemon(home.state);
      found?.link.transport.terminate();
    }
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exit).toEqual([null, "SIGKILL"]);
    await expectGoodStart(home.state);
  });
});

test("no failpoint is left in the published bundles", () => {
  const dist = new URL("../../dist/", import.meta.url);
  const bundles = readdirSync(dist).filter((name) => /\.c?js$/.test(name));
  expect(bundles.length).toBeGreaterThan(0);
  for (const name of bundles) {
    const text = readFileSync(new URL(name, dist), "utf8");
    expect([name, /DAEMON_TEST_FAILPOINT|failpoint\(/.test(text)]).toEqual([name, false]);
  }
  expect(existsSync(failpointBuild().daemon)).toBe(true);
});
