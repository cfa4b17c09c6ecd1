import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectFleet, type Fleet, type FleetMachine, type ReplicaSessionContent } from "@daemon-sdk/fleet";
import { SqliteStore } from "@daemon-sdk/local-daemon/server";
import { sessionId } from "@daemon-sdk/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NatsServer } from "../../packages/fleet/test/support/nats-server.js";
import { failpointBuild } from "../../packages/local-daemon/test/support/failpoint-build.js";

const MACHINE = "m-1";
const KILLS = 12;
const SESSIONS = 3;
/** Longest time after the start of a turn at which something is killed, in ms. */
const WITHIN_MS = 1_500;

let directory: string;
let server: NatsServer;
let fleet: Fleet;
let machine: ChildProcess | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "fleet-replica-"));
  server = await NatsServer.start();
  fleet = await connectFleet({ servers: server.url });
  start();
  await online();
});
afterAll(async () => {
  await fleet.close();
  await kill();
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

test("machine and server are killed in the middle of turns: what the replica states is there, and it catches up", async () => {
  const ids: string[] = [];
  for (let count = 0; count < SESSIONS; count += 1) ids.push(await newSession());
  for (let round = 0; round < KILLS; round += 1) {
    const busy = ids.map((id) => runTurn(id, round));
    await Promise.all(busy);
    await delay(Math.random() * WITHIN_MS);
    const former = instance();
    if (round % 3 === 2) {
      await server.kill();
      await delay(Math.random() * WITHIN_MS);
      await kill();
      await server.run();
    } else await kill();
    if (round % 2 === 0) await expectTruth(ids, `round ${round}`);
    start();
    await online(former);
  }
  await expect.poll(() => areCurrent(ids), { interval: 500 }).toBe(true);
  await kill();
  await expectTruth(ids, "the end");
  const { missing } = await fleet.listSessions();
  expect(missing).toMatchObject([{ machineId: MACHINE, hasReplica: true }]);
});

async function newSession(): Promise<string> {
  const session = await (await fleet.connection(MACHINE)).createSession({ cwd: directory });
  await session.detach();
  return session.sessionId;
}

/** A turn that runs for longer than anything is waited for. */
async function runTurn(id: string, round: number): Promise<void> {
  const session = await fleet.resumeSession(id);
  await session.send(`say round ${round}`);
  await session.send("count 400 every 10");
  await session.detach();
}

/** Of a machine that does not run: up to `upTo` the replica is what the store has, without a hole, and each entry once. */
async function expectTruth(ids: readonly string[], when: string): Promise<void> {
  const store = new SqliteStore({ path: join(directory, MACHINE, "daemon.db") });
  store.openToRead();
  try {
    for (const id of ids) {
      const found = await read(id);
      if (found === undefined) continue;
      const last = found.upTo?.position.seq ?? 0;
      expect(found.isWhole, when).toBe(true);
      expect(
        found.entries.map(({ seq }) => seq),
        when,
      ).toEqual(Array.from({ length: last }, (_, index) => index + 1));
      const stored = await entriesOf(store, id, last);
      expect(
        found.entries.map(({ epoch, notification }) => [epoch, notification]),
        when,
      ).toEqual(stored);
    }
  } finally {
    await store.close();
  }
}

async function entriesOf(store: SqliteStore, id: string, last: number): Promise<[number, unknown][]> {
  const all: [number, unknown][] = [];
  while (all.length < last) {
    const run = await store.readEntries(sessionId(id), all.length + 1, 1_000_000);
    if (run.entries.length === 0) break;
    all.push(...run.entries.map((text): [number, unknown] => [run.epoch, JSON.parse(text)]));
  }
  return all.slice(0, last);
}

async function areCurrent(ids: readonly string[]): Promise<boolean> {
  const metrics = (await (await fleet.connection(MACHINE)).getMetrics()).metrics;
  const behind = metrics.find(({ name }) => name === "daemon_sdk_replica_behind_entries")?.samples[0]?.value;
  const opened = await (await fleet.connection(MACHINE)).listOpenedSessions();
  const isIdle = opened.every(({ workingState }) => workingState === "idle");
  return isIdle && behind === 0 && (await Promise.all(ids.map(read))).every((found) => found !== undefined);
}

async function read(id: string): Promise<ReplicaSessionContent | undefined> {
  return fleet
    .replica(MACHINE)
    .readSession(id, { entries: true })
    .catch(() => undefined);
}

function start(): void {
  const stateDir = join(directory, MACHINE);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const args = ["start", "--foreground", "--fleet", server.url, "--machine", MACHINE, "--replica"];
  machine = spawn(process.execPath, [failpointBuild().bin, ...args], {
    stdio: "ignore",
    env: { ...process.env, DAEMON_SDK_HOME: stateDir },
  });
}

async function kill(): Promise<void> {
  if (machine === undefined || machine.exitCode !== null || machine.signalCode !== null) return;
  const ended = once(machine, "exit");
  machine.kill("SIGKILL");
  await ended;
}

function instance(): string | undefined {
  return [...fleet.machines()].find(({ machineId }) => machineId === MACHINE)?.instance;
}

/** Resolves once an instance other than `former` serves. */
async function online(former?: string): Promise<void> {
  const isOnline = (one: FleetMachine) => one.state === "online" && one.instance !== former;
  for await (const known of fleet.machines().changes()) if (known.some(isOnline)) return;
}
