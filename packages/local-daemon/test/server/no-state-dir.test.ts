import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { memoryTransport } from "@daemon-sdk/protocol";
import { beforeAll, describe, expect, test } from "vitest";
import { listMarkedProcesses } from "../../src/agents/marked-processes.js";
import { isSameProcess } from "../../src/agents/process-identity.js";
import { createDaemon, PERSON } from "../../src/server.js";
import { fixture } from "../agents/agent-harness.js";
import { guardsOf } from "../agents/guards.js";
import { TestClient } from "../sessions/harness.js";
import { bundledProgram } from "../support/bundled-program.js";
import { agentConfig, connectTcp } from "./daemon-desk.js";

const KEY = "a-configured-key-of-this-test";

describe("a daemon without a state directory", () => {
  test("runs a turn, writes no file, listens nowhere, and holds nothing after its end", async () => {
    const home = mkdtempSync(join(tmpdir(), "no-state-"));
    const before = { ...process.env };
    Object.assign(process.env, { HOME: home, XDG_STATE_HOME: home, DAEMON_SDK_HOME: join(home, "state") });
    try {
      const daemon = await createDaemon({ stateDir: false, ...agentConfig() });
      expect(daemon.endpoint).not.toHaveProperty("socketPath");
      expect(daemon.endpoint).not.toHaveProperty("port");
      const { near, far } = memoryTransport();
      const client = new TestClient(near);
      await daemon.accept(far, PERSON);
      await client.createSession("s-1", { cwd: home });
      await client.call("add_user_message", { sessionId: "s-1", text: "say hello", messageId: "m-1" });
      expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
      expect(process.getActiveResourcesInfo().filter((name) => /ServerWrap/.test(name))).toEqual([]);
      await daemon.close({ drainMs: 0 });
      expect(readdirSync(home)).toEqual([]);
    } finally {
      process.env = before;
      rmSync(home, { recursive: true, force: true });
    }
  });

  test("is reached at a port with a key, when it has one", async () => {
    const daemon = await createDaemon({ stateDir: false, port: 0, apiKeys: [KEY], ...agentConfig() });
    const client = await connectTcp(Number(daemon.endpoint.port), { apiKey: KEY });
    expect(await client.result("list_opened_sessions", {})).toEqual({ sessions: [] });
    await daemon.close({ drainMs: 0 });
    expect(client.closeCode).toBe(1001);
  });
});

describe.skipIf(process.platform !== "linux")("agents end with the program that the daemon is in", () => {
  let program: string;
  beforeAll(() => {
    program = bundledProgram("test/server/embedding-program.ts");
  });

  /** The program, when its agents run, and what runs for it: three agents, two children. */
  async function started(ending = "") {
    const child = spawn(process.execPath, [program, fixture("misbehaving-agent.mjs"), ending], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    const [instanceId] = (await once(createInterface(child.stdout), "line")) as [string];
    const agents = (await listMarkedProcesses()).filter((one) => one.instanceId === instanceId);
    return { child, agents, instanceId };
  }

  /** Whether the agents, their children and the guard end. */
  async function allGone({ agents, instanceId }: Awaited<ReturnType<typeof started>>): Promise<boolean> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const alive = await Promise.all(agents.map(({ pid, startTime }) => isSameProcess(pid, startTime)));
      if (!alive.includes(true) && guardsOf(instanceId).length === 0) return true;
      if (performance.now() > deadline) return false;
      await delay(50);
    }
  }

  test.each<[string, (child: ChildProcess) => void]>([
    ["SIGKILL", (child) => child.kill("SIGKILL")],
    ["Ctrl-C, which the whole group of the program gets", ({ pid = 0 }) => process.kill(-pid, "SIGINT")],
  ])("by %s", async (_, end) => {
    const run = await started();
    const { child } = run;
    expect(run.agents).toHaveLength(5);
    expect(guardsOf(run.instanceId)).toHaveLength(1);
    const exited = once(child, "exit");
    end(child);
    await exited;
    expect(await allGone(run)).toBe(true);
  });

  test.each([["exit"], ["throws"]])("that ends by itself: %s", async (ending) => {
    const run = await started(ending);
    const { child } = run;
    if (child.exitCode === null) await once(child, "exit");
    expect(await allGone(run)).toBe(true);
  });

  test("that closes the daemon, and then has nothing left to do", async () => {
    const run = await started("close");
    const { child } = run;
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
    expect(await allGone(run)).toBe(true);
  });
});
