import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectFleet, type Fleet } from "@daemon-sdk/fleet";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NatsServer } from "../../packages/fleet/test/support/nats-server.js";
import { DAEMON_PROGRAM } from "../support/daemon-process.js";
import { until } from "./observe.js";

const ENDLESS = "count 200 every 20";

let directory: string;
let server: NatsServer;
let fleet: Fleet;
let processes: ChildProcess[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "fleet-machines-"));
  server = await NatsServer.start();
  fleet = await connectFleet({ servers: server.url });
  processes = [];
});
afterEach(async () => {
  await fleet.close();
  for (const child of processes) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

test("a machine that is killed in the middle of turns is missing meanwhile, and each turn ends once after its restart", async () => {
  let machine = await start("m-1");
  await start("m-2");
  await online("m-1");
  await online("m-2");
  const connection = await fleet.connection("m-1");
  for (let round = 0; round < 3; round += 1) {
    const session = await connection.createSession({ cwd: directory });
    const stream = session.stream(ENDLESS, { includePartialMessages: true });
    const former = instanceOf("m-1");
    const ends = [];
    let isKilled = false;
    for await (const event of stream) {
      if (event.type === "result") ends.push(event);
      if (isKilled || event.type !== "assistant_text_delta") continue;
      isKilled = true;
      await kill(machine);
      if (round === 0) {
        await until(fleet, (machines) => machines[0]?.state === "lost");
        expect((await fleet.listSessions()).missing).toMatchObject([
          { machineId: "m-1", error: { code: "MACHINE_GONE" } },
        ]);
      }
      machine = await start("m-1");
      await online("m-1", former);
    }
    expect(isKilled).toBe(true);
    expect(ends).toHaveLength(1);
    const resumed = await fleet.resumeSession(session.sessionId);
    expect(resumed.sessionId).toBe(session.sessionId);
    await resumed.detach();
  }
});

test("a machine that stands still is lost, others go on, and its streams go on with it", async () => {
  const machine = await start("m-1");
  await start("m-2");
  await online("m-1");
  await online("m-2");
  const session = await (await fleet.connection("m-1")).createSession({ cwd: directory });
  const stream = session.stream(ENDLESS, { includePartialMessages: true });
  let isFrozen = false;
  const ends = [];
  for await (const event of stream) {
    if (event.type === "result") ends.push(event);
    if (isFrozen || event.type !== "assistant_text_delta") continue;
    isFrozen = true;
    machine.kill("SIGSTOP");
    expect((await (await fleet.connection("m-2")).run("say aside", { cwd: directory })).success).toBe(true);
    await until(fleet, (machines) => machines[0]?.state === "lost");
    machine.kill("SIGCONT");
  }
  expect(ends).toHaveLength(1);
  await until(fleet, (machines) => machines[0]?.state === "online");
});

test("a twin takes the name of a machine that stands still, and the machine stops serving when it runs on", async () => {
  const machine = await start("m-1", "first");
  await online("m-1");
  const former = instanceOf("m-1");
  machine.kill("SIGSTOP");
  await start("m-1", "twin");
  await online("m-1", former);
  const twin = instanceOf("m-1");
  machine.kill("SIGCONT");
  const said: string[] = [];
  machine.stdout?.on("data", (piece: Buffer) => said.push(String(piece)));
  await expect.poll(() => said.join("")).toContain("NAME_TAKEN");
  expect(instanceOf("m-1")).toBe(twin);
  expect((await (await fleet.connection("m-1")).run("say here", { cwd: directory })).success).toBe(true);
});

async function start(machineId: string, state = machineId): Promise<ChildProcess> {
  const stateDir = join(directory, state);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const args = ["start", "--foreground", "--fleet", server.url, "--machine", machineId];
  const child = spawn(process.execPath, [DAEMON_PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, DAEMON_SDK_HOME: stateDir },
  });
  child.stdout?.resume();
  processes.push(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function instanceOf(machineId: string): string | undefined {
  return [...fleet.machines()].find((machine) => machine.machineId === machineId)?.instance;
}

/** Resolves once an instance other than `former` serves. */
async function online(machineId: string, former?: string): Promise<void> {
  await until(fleet, (machines) =>
    machines.some((one) => one.machineId === machineId && one.state === "online" && one.instance !== former),
  );
}
