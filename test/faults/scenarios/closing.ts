import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { WebSocketServer } from "ws";
import { within } from "../../stress/check.js";
import { CLOSING_CASES } from "../roles/closing-client.js";
import { RoleProcess } from "../roles/role.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { round } from "../support/figures.js";
import { startForeground } from "../support/foreground-daemon.js";

const CLOSE_MS = 100;
const EXIT_MS = 5_000;

/** F13: `close()` whenever somebody may call it. */
export const closingScenarios: readonly FaultScenario[] = [
  {
    id: "F13",
    title: "close() works in every state of every machine: soon, finally, and the process ends by itself",
    isQuick: true,
    limitMs: 300_000,
    run: closeEverywhere,
  },
];

async function closeEverywhere(context: FaultContext): Promise<string> {
  await using daemon = await startForeground();
  await using scripted = RoleProcess.start("scripted-daemon");
  const { port } = await scripted.next();
  const silent = net.createServer((socket) => socket.resume().on("error", () => {})).listen(0, "127.0.0.1");
  const mute = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await Promise.all([once(silent, "listening"), once(mute, "listening")]);
  const places = {
    silent: (silent.address() as net.AddressInfo).port,
    mute: (mute.address() as net.AddressInfo).port,
    daemon: port,
    nobody: await freePort(),
    socketPath: daemon.socketPath,
  };
  process.env.DAEMON_SDK_HOME = daemon.stateDir;
  const names = context.some([...CLOSING_CASES.keys()], 3);
  let slowest = 0;
  try {
    for (const name of names) slowest = Math.max(slowest, await closeOne(name, places, context));
  } finally {
    for (const client of mute.clients) client.terminate();
    await Promise.all([new Promise((closed) => silent.close(closed)), new Promise((closed) => mute.close(closed))]);
  }
  return `${names.length} cases, the slowest close in ${round(slowest)} ms, no event after it, every process ended by itself`;
}

async function closeOne(name: string, places: object, context: FaultContext): Promise<number> {
  await using role = RoleProcess.start("closing-client", { args: [name, JSON.stringify(places)] });
  const { tookMs = Number.NaN } = await within(EXIT_MS * context.slowness, role.next()).catch((error: unknown) => {
    throw new Error(`${name}: ${String(error)}`);
  });
  assert.ok(tookMs <= CLOSE_MS * context.slowness, `${name}: close() took ${round(tookMs)} ms`);
  await within(EXIT_MS * context.slowness, role.exited).catch(() => assert.fail(`${name}: the process does not end`));
  assert.equal(role.child.exitCode, 0, `${name}: it ends without a fault`);
  const { events } = await role.next();
  assert.equal(events, 0, `${name}: nothing is told after close()`);
  return tookMs;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
