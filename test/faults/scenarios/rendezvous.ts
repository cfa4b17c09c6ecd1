import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import { ConnectionError } from "@daemon-sdk/protocol";
import { WebSocketServer } from "ws";
import type { Reached } from "../../../packages/local-daemon/test/rendezvous/contender.js";
import { isAlive } from "../../support/daemon-process.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { daemonHome, ended } from "../support/daemon-home.js";
import { quantile, round } from "../support/figures.js";
import { raceFor } from "../support/starter.js";

const NOMINAL_EMPTY_NODE_MS = 46;

/** D1, D2, D4, D6: one daemon, for any number of starters and any leftovers of the last daemon. */
export const rendezvousScenarios: readonly FaultScenario[] = [
  {
    id: "D1",
    title: "many programs that want a daemon at once get exactly one, again and again after it was killed",
    isQuick: true,
    limitMs: 420_000,
    async run(context) {
      const plain = await race(context, context.count(20, 1), false);
      if (cannotUnshare()) return `${plain}; the variant with unshare -n cannot run here`;
      const apart = await race(context, context.count(5, 1), true);
      return `${plain}; half of them under unshare -n: ${apart}`;
    },
  },
  {
    id: "D2",
    title: "whatever a dead daemon left, the next start decides right, and touches nothing that is not ours",
    isQuick: true,
    limitMs: 90_000,
    async run(context) {
      const leftovers = context.some(LEFTOVERS, 3);
      for (const [name, leave] of leftovers) await startOver(name, leave);
      return `${leftovers.length} kinds of leftovers, each followed by a start; nobody killed, nothing of others unlinked`;
    },
  },
  {
    id: "D4",
    title: "a daemon of another version is told by VERSION_MISMATCH with both versions, and is never killed",
    isQuick: true,
    async run() {
      const error = await refusalOfAnotherVersion();
      assert.ok(ConnectionError.is(error) || error instanceof Error);
      assert.equal(Reflect.get(Object(error), "code"), "VERSION_MISMATCH");
      for (const version of ["9.9.9", "1.51.0"])
        assert.ok(String(error).includes(version), `${error} names ${version}`);
      await olderDaemonIsKept();
      return "VERSION_MISMATCH names 9.9.9 and 1.51.0; an older daemon with a live session is found, used and kept";
    },
  },
  {
    id: "D6",
    title: "a daemon that does not run is there at once: start to first answer",
    isQuick: true,
    limitMs: 120_000,
    async run(context) {
      const rounds = context.count(20, 2);
      const floors: number[] = [];
      const times: number[] = [];
      for (let index = 0; index < rounds; index += 1) {
        floors.push(await emptyNodeMs());
        times.push(await coldStartMs());
      }
      const [floor, median] = [quantile(floors, 0.5), quantile(times, 0.5)];
      const mark = 150 * Math.max(1, floor / NOMINAL_EMPTY_NODE_MS) * context.slowness;
      assert.ok(median <= mark, `the start took ${round(median)} ms, an empty Node ${round(floor)} ms`);
      return `p50 ${round(median)} ms over ${rounds} starts (an empty Node: ${round(floor)} ms)`;
    },
  },
];

async function race(context: FaultContext, rounds: number, isHalfApart: boolean): Promise<string> {
  await using home = daemonHome();
  const count = context.count(50, 4);
  let slowest = 0;
  for (let index = 0; index < rounds; index += 1) {
    const reached = await raceFor({ state: home.state, count, isApart: (each) => isHalfApart && each % 2 === 1 });
    assert.equal(new Set(reached.map(({ instanceId }) => instanceId)).size, 1, "one daemon");
    assert.equal(new Set(reached.map(({ pid }) => pid)).size, 1);
    assert.equal(reached.length, count, "all are connected");
    slowest = Math.max(slowest, ...reached.map(({ tookMs }) => tookMs));
    const { pid } = reached[0] as Reached;
    await home.alone(pid);
    await ended(pid, "SIGKILL");
  }
  assert.ok(slowest <= 3_000 * context.slowness, `the slowest needed ${round(slowest)} ms`);
  return `${rounds} rounds × ${count} starters, 1 daemon each, all connected in ${round(slowest)} ms`;
}

/** Whether this machine lets us give a process a network of its own. */
function cannotUnshare(): boolean {
  return spawnSync("unshare", ["-n", "true"]).status !== 0;
}

interface Place {
  readonly state: string;
  /** A process that is alive and no daemon. */
  readonly bystander: number;
}

/** What can be there when a daemon starts: a name for it, and how it comes about. */
const LEFTOVERS: readonly (readonly [string, (place: Place) => Promise<void> | void])[] = [
  ["a stale socket", ({ state }) => leaveSocket(join(state, "daemon.sock"))],
  ["a stale private socket", ({ state }) => leaveSocket(join(state, "daemon.0a1b2c3d.sock"))],
  ["a stale endpoint", (place) => leaveEndpoint(place, { pid: 2 ** 22 - 1 })],
  ["a pid that was given to another program", (place) => leaveEndpoint(place, { pid: place.bystander })],
  ["an endpoint whose socket is another program's", (place) => leaveEndpoint(place, { socket: "/dev/log" })],
  ["an empty endpoint", ({ state }) => leave(state, "endpoint.json", "")],
  ["a cut endpoint", ({ state }) => leave(state, "endpoint.json", '{"socket":"/x","pi')],
  ["garbage in the endpoint", ({ state }) => leave(state, "endpoint.json", "\0\u0001 not json [")],
  ["an endpoint of __proto__", ({ state }) => leave(state, "endpoint.json", '{"__proto__":{"socket":"/x"}}')],
  ["an endpoint of another user", (place) => leaveEndpoint(place, { pid: place.bystander }, 0o644)],
  ["half a token", ({ state }) => leave(state, "token", "half")],
];

async function startOver(name: string, prepare: (place: Place) => Promise<void> | void): Promise<void> {
  await using home = daemonHome();
  mkdirSync(home.state, { mode: 0o700 });
  const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
  try {
    leave(home.state, "notes.txt", "somebody's own");
    await prepare({ state: home.state, bystander: bystander.pid ?? 0 });
    const { started, pid } = await ensureLocalDaemon({ stateDir: home.state });
    assert.ok(started && pid !== bystander.pid, name);
    assert.ok(isAlive(bystander.pid ?? 0), `${name}: the other program lives`);
    assert.equal(readFileSync(join(home.state, "notes.txt"), "utf8"), "somebody's own", name);
    assert.ok(!existsSync(join(home.state, "daemon.0a1b2c3d.sock")), `${name}: what was ours is swept`);
  } finally {
    bystander.kill("SIGKILL");
    await once(bystander, "exit");
  }
}

function leave(state: string, name: string, content: string, mode = 0o600): void {
  writeFileSync(join(state, name), content, { mode });
}

function leaveEndpoint({ state }: Place, change: object, mode?: number): void {
  const record = { socket: join(state, "daemon.sock"), pid: 1, startTime: "", instanceId: "gone", version: "1.0.0" };
  leave(state, "endpoint.json", JSON.stringify({ ...record, ...change }), mode);
}

/** A socket's name that nobody listens on: what SIGKILL leaves. */
async function leaveSocket(path: string): Promise<void> {
  const program = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", program, path]), "exit");
  assert.ok(existsSync(path));
}

/** What our client says about a daemon that refuses its version as the original does. */
async function refusalOfAnotherVersion(): Promise<unknown> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  server.on("connection", (socket) =>
    socket.on("message", (data) => {
      const { id } = JSON.parse(String(data)) as { id: string };
      const mismatch = { localFactoryProtocolVersion: "9.9.9", peerFactoryProtocolVersion: "1.51.0" };
      const error = { code: -32601, message: "Incompatible", data: { protocolVersionMismatch: mismatch } };
      const head = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", factoryProtocolVersion: "9.9.9", type: "response" };
      socket.send(JSON.stringify({ ...head, id, error }));
    }),
  );
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const error: unknown = await connectDaemon({ url: `ws://127.0.0.1:${port}`, apiKey: "any" }).catch((e: unknown) => e);
  for (const socket of server.clients) socket.terminate();
  await new Promise((closed) => server.close(closed));
  return error;
}

/** A daemon whose version on record is older than ours: it has a session, so nobody may end it. */
async function olderDaemonIsKept(): Promise<void> {
  await using home = daemonHome();
  process.env.DAEMON_SDK_HOME = home.state;
  await using connection = await connectDaemon();
  await using session = await connection.createSession({ cwd: dirname(home.state) });
  const path = join(home.state, "endpoint.json");
  const record = JSON.parse(readFileSync(path, "utf8")) as { pid: number };
  writeFileSync(path, JSON.stringify({ ...record, version: "0.0.1" }), { mode: 0o600 });
  const { pid, started } = await ensureLocalDaemon({ stateDir: home.state });
  assert.deepEqual([pid, started], [record.pid, false]);
  await session.rename("still here");
}

async function emptyNodeMs(): Promise<number> {
  const started = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - started;
}

/** Nothing runs, to the first accepted request. */
async function coldStartMs(): Promise<number> {
  const stateDir = mkdtempSync(join(tmpdir(), "cold-"));
  process.env.DAEMON_SDK_HOME = stateDir;
  const started = performance.now();
  let took = 0;
  {
    await using connection = await connectDaemon();
    await connection.listOpenedSessions();
    took = performance.now() - started;
  }
  const { pid } = JSON.parse(readFileSync(join(stateDir, "endpoint.json"), "utf8")) as { pid: number };
  await ended(pid, "SIGTERM");
  rmSync(stateDir, { recursive: true, force: true });
  return took;
}
