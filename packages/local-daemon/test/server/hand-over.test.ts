import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { probeLocalDaemon } from "../../src/rendezvous/probe.js";
import { aloneIn, type DaemonHome, daemonHome, ended } from "../rendezvous/daemon-home.js";
import { TestClient } from "../sessions/harness.js";
import { failpointBuild } from "../support/failpoint-build.js";
import { spawnDaemon } from "../support/failpoints.js";
import { foundDaemon } from "../support/started-daemon.js";

/** Where a new daemon is killed before it serves. */
const BEFORE: readonly string[] = ["store-opened", "sessions-recovered", "endpoint-written"];
const NUMBERS = 60;
/** More than the agent counts before its test has killed what it kills, also on a busy machine. */
const WITHOUT_END = 30_000;

/** A daemon with a turn that counts, in a state directory of its own. */
async function counting(
  home: DaemonHome,
  count = NUMBERS,
): Promise<{ daemon: ChildProcess; client: TestClient; agent: number }> {
  await home.write("config.json", JSON.stringify({ loginShell: false, agentPresets: false }));
  const daemon = spawnDaemon(home.state);
  const found = await foundDaemon(home.state, daemon);
  const client = new TestClient(found.link.transport);
  await client.authenticate(found.link.credential);
  await client.createSession("s-1", { cwd: dirname(home.state) });
  await prompt(client, "m-1", `count ${count} every 20`);
  await client.notified({ type: "assistant_text_delta" });
  const [agent = 0] = agentsIn(home);
  return { daemon, client, agent };
}

function prompt(client: TestClient, messageId: string, text: string): Promise<unknown> {
  return client.result("add_user_message", { sessionId: "s-1", messageId, text });
}

/** Starts the next version, which asks the one that runs to hand over. */
function successor(home: DaemonHome, failpoint?: string): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, DAEMON_SDK_HOME: home.state };
  return spawn(process.execPath, [failpointBuild("9.0.2").daemon, "--take-over"], {
    env: failpoint === undefined ? env : { ...env, DAEMON_TEST_FAILPOINT: failpoint },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** A client of the daemon that serves next, with all entries of the session. */
async function reconnected(home: DaemonHome, pid?: number): Promise<TestClient> {
  for (;;) {
    const found = await probeLocalDaemon(home.state);
    if (found !== undefined && (pid === undefined || found.record.pid === pid)) {
      const client = new TestClient(found.link.transport);
      await client.authenticate(found.link.credential);
      await client.result("resume_session", { sessionId: "s-1", after: { epoch: 1, seq: 0 } });
      return client;
    }
    found?.link.transport.terminate();
    await delay(10);
  }
}

/** The numbers that the agent counted, as the journal has them. */
function numbers(client: TestClient): number[] {
  const deltas = client.notifications("s-1").filter(({ type }) => type === "assistant_text_delta");
  return deltas
    .map(({ textDelta }) => String(textDelta))
    .join("")
    .trim()
    .split(" ")
    .map(Number);
}

/** Processes that carry the mark of the session, and work in its directory: other tests have a session of that name, too. */
function agentsIn(home: DaemonHome): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids
    .map(Number)
    .filter(
      (pid) => environmentOf(pid).includes("\0DAEMON_SDK_SESSION=s-1\0") && directoryOf(pid) === dirname(home.state),
    );
}

function directoryOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return "";
  }
}

const WHOLE = Array.from({ length: NUMBERS }, (_none, index) => index + 1);

describe.skipIf(process.platform !== "linux")("a daemon that another one replaces", () => {
  test("keeps its turn, and leaves once the agent has ended", async () => {
    await using home = daemonHome();
    const { daemon, agent } = await counting(home);
    const left = once(daemon, "exit");
    const next = successor(home);
    const client = await reconnected(home, next.pid);
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
    expect(numbers(client)).toEqual(WHOLE);
    // The agent of the former daemon serves on.
    await prompt(client, "m-2", "say hello");
    expect(await client.turnEnd("m-2")).toMatchObject({ reason: "completed" });
    expect(agentsIn(home)).toEqual([agent]);
    await client.result("close_session", { sessionId: "s-1" });
    expect(await left).toEqual([0, null]);
    expect(existsSync(join(home.state, "hand-over.json"))).toBe(false);
  });

  test.each(BEFORE)("goes on when the other one is killed at `%s`", async (failpoint) => {
    await using home = daemonHome();
    const { daemon, agent } = await counting(home);
    const [, signal] = await once(successor(home, failpoint), "exit");
    expect(signal).toBe("SIGKILL");
    const client = await reconnected(home, daemon.pid);
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
    expect(numbers(client)).toEqual(WHOLE);
    expect(agentsIn(home)).toEqual([agent]);
  });

  test("goes on when the other one cannot listen, and can be replaced later", async () => {
    await using home = daemonHome();
    const { daemon } = await counting(home);
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await home.write("config.json", JSON.stringify({ port }));
    const failed = successor(home);
    expect(await once(failed, "exit")).toEqual([1, null]);
    await reconnected(home, daemon.pid);
    taken.close();
    const next = successor(home);
    const client = await reconnected(home, next.pid);
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
    expect(numbers(client)).toEqual(WHOLE);
  });

  test("is not disturbed by one with a faulty configuration", async () => {
    await using home = daemonHome();
    const { client } = await counting(home);
    await home.write("config.json", JSON.stringify({ port: "none" }));
    expect(await once(successor(home), "exit")).toEqual([4, null]);
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
  });

  test("leaves no agent behind when it is killed while it holds one, and the turn is told", async () => {
    await using home = daemonHome();
    const { daemon, agent } = await counting(home, WITHOUT_END);
    const next = successor(home);
    const client = await reconnected(home, next.pid);
    daemon.kill("SIGKILL");
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "agent_exited" });
    expect(agentsIn(home)).not.toContain(agent);
    await prompt(client, "m-2", "say hello");
    expect(await client.turnEnd("m-2")).toMatchObject({ reason: "completed" });
  });

  test("ends its agents when the one that adopts them is killed", async () => {
    await using home = daemonHome();
    const { daemon } = await counting(home, WITHOUT_END);
    const left = once(daemon, "exit");
    const next = successor(home);
    await reconnected(home, next.pid);
    next.kill("SIGKILL");
    expect(await left).toEqual([0, null]);
    expect(agentsIn(home)).toEqual([]);
    const client = await restarted(home);
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "daemon_restarted" });
  });

  test("is stopped with the agents that an earlier one holds for it", async () => {
    await using home = daemonHome();
    const { daemon } = await counting(home, WITHOUT_END);
    const left = once(daemon, "exit");
    const next = successor(home);
    await reconnected(home, next.pid);
    next.kill("SIGTERM");
    next.kill("SIGINT");
    expect(await left).toEqual([0, null]);
    await ended(next.pid, "SIGTERM");
    expect(agentsIn(home)).toEqual([]);
    await aloneIn(home.state, 0);
  });
});

async function restarted(home: DaemonHome): Promise<TestClient> {
  const daemon = spawnDaemon(home.state);
  await foundDaemon(home.state, daemon);
  return reconnected(home, daemon.pid);
}
