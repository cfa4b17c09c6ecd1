import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { connectDaemon, type DaemonSession } from "@daemon-sdk/client";
import { ensureLocalDaemon } from "@daemon-sdk/client/local";
import type { WebSocket } from "ws";
import { isAlive } from "../../test/support/daemon-process.js";
import type { Measure } from "../measure.js";
import { SESSION_COUNTS } from "../plots.js";
import { FEW_AGENTS } from "../roles/daemon.js";
import { figuresOf } from "../roles/process-figures.js";
import { type RoleProcess, startRole } from "../roles/role.js";
import { connectTo, openDaemon, openRaw, openSessions, tokenOf } from "./lanes.js";

const CONNECTIONS = 500;
const SESSIONS = 2_000;
const IDLE_SESSIONS = 1_000;
const IDLE_MS = 5_000;
const AT_ONCE = 50;
const SETTLE_MS = 3_000;
const KIB = 1024;

/** What an idle daemon, an idle connection and an idle session take. */
export const memory: Measure = {
  name: "memory",
  title: "Memory: an idle daemon, an idle connection, an idle session",
  unit: "KiB",
  better: "less",
  rounds: 1,
  warmUpRounds: 0,
  bars: [
    { contestant: "idle daemon, RSS", atMost: 60 * KIB },
    { contestant: "connection, RSS of the daemon", atMost: 12 },
    { contestant: "idle session, heap of the client", atMost: 2 },
    { contestant: "idle session, heap of the daemon", atMost: 3 },
  ],
  async open() {
    const contestants = [
      { name: "idle daemon, RSS", round: idleRss },
      { name: "connection, RSS of the daemon", round: perConnection },
      { name: "idle session, heap of the client", round: perSessionOfClient },
      { name: "idle session, heap of the daemon", round: perSessionOfDaemon },
    ];
    return { contestants, close: async () => {} };
  },
};

/** Processor time of a daemon with a thousand sessions that do nothing. */
export const idle: Measure = {
  name: "idle",
  title: `Idle: ${IDLE_SESSIONS} sessions of one connection that do nothing`,
  unit: "% of a core",
  better: "less",
  rounds: 1,
  warmUpRounds: 0,
  bars: [{ contestant: "our daemon", atMost: 0.3 }],
  async open() {
    return { contestants: [{ name: "our daemon", round: idleShare }], close: async () => {} };
  },
};

/** What sessions that do nothing take, by their number: a picture of the docs. */
export const sessionsMemory: Measure = {
  name: "sessions-memory",
  title: "Memory: sessions that do nothing, without agents, each with a handle",
  unit: "MiB of the daemon's heap",
  better: "less",
  rounds: 1,
  warmUpRounds: 0,
  async open() {
    const { grow, close } = await openSessionless();
    const contestants = SESSION_COUNTS.map((count) => ({
      name: `${count} idle sessions`,
      async round() {
        const { daemon, client } = await grow(count);
        return { figure: daemon / KIB ** 2, also: { "heap of the client": client / KIB ** 2 } };
      },
    }));
    return { contestants, close };
  },
};

function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** Of the program that is shipped, some seconds after its start. Where there is no `/proc`, it is not a number. */
async function idleRss(): Promise<number> {
  const stateDir = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
  process.env.DAEMON_SDK_HOME = stateDir;
  const { pid = 0 } = await ensureLocalDaemon();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
  process.kill(pid, "SIGTERM");
  while (isAlive(pid)) await new Promise((again) => setTimeout(again, 5));
  rmSync(stateDir, { recursive: true, force: true });
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN);
}

/** Raw sockets that authenticate, so that the bench has little to hold. The first ones warm the process up. */
async function perConnection(): Promise<number> {
  const daemon = await startRole("daemon");
  const sockets: WebSocket[] = [];
  const connect = async () => void sockets.push(await authenticated(daemon));
  const connectAll = async () => {
    for (let at = 0; at < CONNECTIONS; at += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, connect));
  };
  await connectAll();
  await figuresOf(daemon, "memory");
  const before = await figuresOf(daemon, "memory");
  await connectAll();
  const after = await figuresOf(daemon, "memory");
  for (const socket of sockets) socket.terminate();
  await daemon.stop();
  return (after.rss - before.rss) / CONNECTIONS / KIB;
}

async function authenticated(daemon: RoleProcess): Promise<WebSocket> {
  const socket = await openRaw(daemon.ready.port);
  const answered = new Promise((resolve, reject) => {
    socket.once("message", resolve);
    socket.once("close", (code) => reject(new Error(`The daemon closed an idle connection with ${code}.`)));
  });
  const frame = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", id: "1" };
  socket.send(
    JSON.stringify({ ...frame, method: "daemon.authenticate", params: { ...tokenOf(daemon), caller: "bench" } }),
  );
  const answer = String(await answered);
  if (answer.includes('"error"')) throw new Error(`The daemon refused the bench: ${answer}`);
  return socket;
}

/** Against a server that does nothing, as sessions of a daemon would take their agents. */
async function perSessionOfClient(): Promise<number> {
  const collect = collector();
  const feed = await startRole("feed");
  const connection = await connectDaemon({ url: `ws://127.0.0.1:${feed.ready.port}`, apiKey: "any" });
  const held: DaemonSession[] = [];
  const heapAfter = async () => {
    held.push(...(await openSessions(connection, SESSIONS)));
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAfter();
  const after = await heapAfter();
  await connection.close();
  await feed.stop();
  return (after - before) / SESSIONS / KIB;
}

/** Of sessions without an agent: those are stopped for the next ones. */
async function perSessionOfDaemon(): Promise<number> {
  const growth = await openSessionless();
  const heaps: number[] = [];
  for (const count of [IDLE_SESSIONS / 2, IDLE_SESSIONS]) heaps.push((await growth.grow(count)).daemon);
  await growth.close();
  const [before = 0, after = 0] = heaps;
  return (after - before) / (IDLE_SESSIONS / 2) / KIB;
}

/** A daemon whose sessions lose their agents soon, and the heaps that they take here and there. */
async function openSessionless() {
  const collect = collector();
  const stateDir = mkdtempSync(join(tmpdir(), "daemon-sdk-bench-"));
  const { daemon, connection } = await openDaemon(stateDir, FEW_AGENTS);
  const held: DaemonSession[] = [];
  const grow = async (count: number) => {
    held.push(...(await openSessions(connection, count - held.length)));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    await figuresOf(daemon, "memory");
    const { heap } = await figuresOf(daemon, "memory");
    collect();
    return { daemon: heap, client: process.memoryUsage().heapUsed };
  };
  const close = async () => {
    await connection.close();
    await daemon.stop();
  };
  return { grow, close };
}

async function idleShare(): Promise<number> {
  const { daemon, connection } = await openDaemon();
  const other = await connectTo(daemon);
  await openSessions(connection, IDLE_SESSIONS);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const before = await figuresOf(daemon, "cpu");
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const after = await figuresOf(daemon, "cpu");
  const elapsedMicros = (performance.now() - started) * 1000;
  await Promise.all([connection.close(), other.close()]);
  await daemon.stop();
  return ((after.cpuMicros - before.cpuMicros) / elapsedMicros) * 100;
}
