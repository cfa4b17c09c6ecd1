import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DaemonError } from "@daemon-sdk/client";
import { connectFleet, type Fleet, type FleetMachine, type MoveStep } from "@daemon-sdk/fleet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NatsServer } from "../../packages/fleet/test/support/nats-server.js";
import { failpointBuild } from "../../packages/local-daemon/test/support/failpoint-build.js";

const STEPS: readonly MoveStep[] = ["begin", "leave", "copy", "files", "commit", "arrive", "forget", "end"];
const SERVICE = fileURLToPath(new URL("./move-service.mjs", import.meta.url));
/** Makes several pieces of the conversation. */
const LONG = "x".repeat(300_000);

let directory: string;
let server: NatsServer;
let fleet: Fleet;
const machines = new Map<string, ChildProcess>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "fleet-move-"));
  server = await NatsServer.start();
  fleet = await connectFleet({ servers: server.url });
  await Promise.all([start("m-1"), start("m-2")]);
  await Promise.all([online("m-1"), online("m-2")]);
});
afterAll(async () => {
  await fleet.close();
  for (const machineId of machines.keys()) await kill(machineId);
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

for (const victim of ["m-1", "m-2"]) {
  for (const step of STEPS) {
    test(`${victim === "m-1" ? "the source" : "the target"} is killed before ${step}`, async () => {
      const session = await busySession();
      let isKilled = false;
      const onStep = async (now: MoveStep) => {
        if (now !== step || isKilled) return;
        isKilled = true;
        await kill(victim);
      };
      await fleet.moveSession(session.sessionId, "m-2", { drainMs: 0, onStep }).catch(expectFailure);
      expect(isKilled).toBe(true);
      await restart(victim);
      await expectMoved(session);
    });
  }
}

for (const step of STEPS) {
  test(`the service is killed before ${step}`, async () => {
    const session = await busySession();
    const service = spawn(process.execPath, [SERVICE, server.url, session.sessionId, "m-2", step], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [, signal] = await once(service, "exit");
    expect(signal).toBe("SIGKILL");
    await expectMoved(session);
  });
}

for (const [machineId, place] of [
  ["m-1", "move-leaving"],
  ["m-1", "move-left"],
  ["m-1", "move-forgetting"],
  ["m-1", "move-forgotten"],
  ["m-2", "move-storing:2"],
  ["m-2", "move-stored:2"],
  ["m-2", "move-prepared"],
  ["m-2", "move-arriving"],
  ["m-2", "move-arrived"],
] as const) {
  test(`${machineId === "m-1" ? "the source" : "the target"} is killed at ${place}`, async () => {
    await kill(machineId);
    await restart(machineId, place);
    const session = await busySession();
    const ended = once(machines.get(machineId) as ChildProcess, "exit");
    await fleet.moveSession(session.sessionId, "m-2", { drainMs: 0 }).catch(expectFailure);
    await ended;
    await restart(machineId);
    await expectMoved(session);
  });
}

interface BusySession {
  readonly sessionId: string;
  readonly queued: string;
  readonly running: string;
}

/** A session on m-1 with a conversation of several pieces, a turn that runs, and a message that waits behind it. */
async function busySession(): Promise<BusySession> {
  const connection = await fleet.connection("m-1");
  const session = await connection.createSession({ cwd: directory });
  for (const text of [LONG, "short"]) {
    const { messageId } = await session.send(`say ${text}`);
    expect((await session.waitForReceipt(messageId)).state).toBe("completed");
  }
  const { messageId: running } = await session.send("count 500 every 20");
  await expect.poll(async () => stateOf("m-1", session.sessionId, running)).toBe("running");
  const { messageId: queued } = await session.send("say behind it");
  await session.detach();
  return { sessionId: session.sessionId, queued, running };
}

/** Repeats the call until it is done. Then one machine has the session, each turn has one end, and what was sent is all there, in order. */
async function expectMoved({ sessionId, queued, running }: BusySession): Promise<void> {
  const move = () => fleet.moveSession(sessionId, "m-2", { drainMs: 0 }).then(() => "moved", expectFailure);
  await expect.poll(move, { interval: 200 }).toBe("moved");
  const there = await fleet.connection("m-2");
  await expect.poll(async () => stateOf("m-2", sessionId, queued)).toBe("completed");
  const here = (await fleet.connection("m-1")).getSessionMessages(sessionId, {});
  await expect(here).rejects.toMatchObject({ code: "SESSION_MOVED", machineId: "m-2" });
  const ends: string[] = [];
  const texts: (string | undefined)[] = [];
  let last = 0;
  for await (const event of there.follow(sessionId, { after: { epoch: 0, seq: 0 } })) {
    expect(event.type).not.toBe("gap");
    expect(event.position?.seq ?? last).toBeGreaterThanOrEqual(last);
    last = event.position?.seq ?? last;
    if (event.type !== "result") continue;
    ends.push(String(event.turnId));
    texts.push(event.text?.slice(0, 20));
    if (event.turnId === queued) break;
  }
  expect(new Set(ends).size).toBe(ends.length);
  expect(ends.slice(-2)).toEqual([running, queued]);
  expect(ends).toHaveLength(4);
  expect(texts.at(0)).toBe(LONG.slice(0, 20));
  expect(texts.at(-1)).toBe("behind it");
  const { items } = await fleet.listSessions();
  expect(items.filter((item) => item.sessionId === sessionId).map(({ machineId }) => machineId)).toEqual(["m-2"]);
  await there.deleteSession(sessionId);
}

async function stateOf(machineId: string, sessionId: string, messageId: string): Promise<string | undefined> {
  const [receipt] = await (await fleet.connection(machineId)).getReceipts(sessionId, [messageId]);
  return receipt?.state;
}

function expectFailure(error: unknown): string {
  expect(error).toBeInstanceOf(DaemonError);
  return (error as DaemonError).code;
}

async function start(machineId: string, failpoint?: string): Promise<void> {
  const stateDir = join(directory, machineId);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const args = ["start", "--foreground", "--fleet", server.url, "--machine", machineId];
  const child = spawn(process.execPath, [failpointBuild().bin, ...args], {
    stdio: "ignore",
    env: {
      ...process.env,
      DAEMON_SDK_HOME: stateDir,
      ...(failpoint === undefined ? {} : { DAEMON_TEST_FAILPOINT: failpoint }),
    },
  });
  machines.set(machineId, child);
}

async function restart(machineId: string, failpoint?: string): Promise<void> {
  const former = instanceOf(machineId);
  await start(machineId, failpoint);
  await online(machineId, former);
}

async function kill(machineId: string): Promise<void> {
  const child = machines.get(machineId);
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function instanceOf(machineId: string): string | undefined {
  return [...fleet.machines()].find((machine) => machine.machineId === machineId)?.instance;
}

/** Resolves once an instance other than `former` serves. */
async function online(machineId: string, former?: string): Promise<void> {
  const isOnline = (one: FleetMachine) =>
    one.machineId === machineId && one.state === "online" && one.instance !== former;
  for await (const known of fleet.machines().changes()) if (known.some(isOnline)) return;
}
