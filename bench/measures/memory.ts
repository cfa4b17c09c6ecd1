import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { WebSocket } from "ws";
import type { Measure } from "../measure.js";
import { BENCH_KEY } from "../roles/daemon.js";
import { figuresOf } from "../roles/process-figures.js";
import { type RoleProcess, startRole } from "../roles/role.js";
import { connectTo, openDaemon, openSessions } from "./lanes.js";

const CONNECTIONS = 500;
const SESSIONS = 2_000;
const IDLE_SESSIONS = 1_000;
const IDLE_MS = 5_000;
const AT_ONCE = 50;
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

async function idleRss(): Promise<number> {
  const daemon = await startRole("daemon");
  const { rss } = await figuresOf(daemon, "memory");
  await daemon.stop();
  return rss / KIB;
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
  const socket = new WebSocket(`ws://127.0.0.1:${daemon.ready.port}`, { perMessageDeflate: false });
  await new Promise((opened) => socket.once("open", opened));
  const answered = new Promise((resolve) => socket.once("message", resolve));
  const frame = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "request", id: "1" };
  socket.send(JSON.stringify({ ...frame, method: "daemon.authenticate", params: { apiKey: BENCH_KEY } }));
  await answered;
  return socket;
}

/** Against a server that does nothing, as sessions of a daemon would take their agents. */
async function perSessionOfClient(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
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

/** Without the replay buffer, as the agents are stopped and the sessions stay open. */
async function perSessionOfDaemon(): Promise<number> {
  const { daemon, connection } = await openDaemon();
  await openIdle(connection, IDLE_SESSIONS / 2);
  await figuresOf(daemon, "memory");
  const before = await figuresOf(daemon, "memory");
  await openIdle(connection, IDLE_SESSIONS / 2);
  const after = await figuresOf(daemon, "memory");
  await connection.close();
  await daemon.stop();
  return (after.heap - before.heap) / (IDLE_SESSIONS / 2) / KIB;
}

async function openIdle(connection: DaemonConnection, count: number): Promise<void> {
  await openSessions(connection, count);
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
