import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { failpointBuild } from "../support/failpoint-build.js";
import { START_FAILPOINTS, spawnDaemon } from "../support/failpoints.js";
import { foundDaemon } from "../support/started-daemon.js";
import { daemonHome } from "./daemon-home.js";

type Door = typeof import("../../src/index.js");

/** Between every two steps of an end. */
const END = ["withdrawing", "endpoint-withdrawn", "token-withdrawn", "socket-withdrawn"];

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
  test.each(START_FAILPOINTS)(
    "at `%s` is no obstacle to the next one, and leaves nothing behind",
    async (failpoint) => {
      await using home = daemonHome();
      const child = spawnDaemon(home.state, failpoint);
      expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
      await expectGoodStart(home.state);
    },
  );

  test("twice in a row, at another step, is none either", async () => {
    await using home = daemonHome();
    for (const failpoint of ["socket-published", "private-file-written", "socket-bound"]) {
      expect(await once(spawnDaemon(home.state, failpoint), "exit")).toEqual([null, "SIGKILL"]);
    }
    await expectGoodStart(home.state);
  });
});

describe("a daemon that dies between two steps of its end (D3)", () => {
  test.each(END)("at `%s` is no obstacle to the next one", async (failpoint) => {
    await using home = daemonHome();
    const child = spawnDaemon(home.state, failpoint);
    (await foundDaemon(home.state, child)).link.transport.terminate();
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
