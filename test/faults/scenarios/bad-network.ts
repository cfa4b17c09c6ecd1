import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon } from "@daemon-sdk/client";
import { ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { withoutProc } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { RawClient } from "../support/raw-client.js";
import { RawSocket } from "../support/raw-socket.js";

const OPEN_FILES = 64;
const BACK_MS = 1_000;
const HEARTBEAT_MS = 300;
const HEARTBEATS = 6;
/** In a sample a process may stand still for longer than six heartbeats; that would be no false verdict. */
const SAMPLE_HEARTBEATS = 40;

/** F4, F9: links that are slow, and a system that has nothing left to give. */
export const badNetworkScenarios: readonly FaultScenario[] = [
  {
    id: "F4",
    title: "a slow and uneven link is not taken for a dead one, and keeps the order",
    isQuick: true,
    limitMs: 120_000,
    async run(context) {
      await using daemon = await startForeground();
      return await unevenLink(daemon, context);
    },
  },
  {
    id: "F9",
    title: "a daemon without free descriptors keeps its sessions, refuses new peers, and takes them again afterwards",
    isQuick: true,
    limitMs: 60_000,
    cannotRun: withoutProc,
    async run(context) {
      await using daemon = await startForeground({ openFiles: OPEN_FILES });
      return await outOfDescriptors(daemon, context);
    },
  },
];

async function unevenLink(daemon: ForegroundDaemon, context: FaultContext): Promise<string> {
  const seconds = context.count(60, 3);
  await using proxy = await ChaosProxy.start({
    target: { path: daemon.socketPath },
    seed: context.seed,
    onConnection: (connection) => {
      connection.toClient.delay({ minMs: 0, maxMs: 200 });
      connection.toServer.delay({ minMs: 0, maxMs: 200 });
    },
  });
  const states: string[] = [];
  const heartbeats = context.isSample ? SAMPLE_HEARTBEATS : HEARTBEATS;
  await using connection = await connectDaemon({
    url: `ws://127.0.0.1:${proxy.port}`,
    token: daemon.token,
    heartbeat: { intervalMs: HEARTBEAT_MS, timeoutMs: heartbeats * HEARTBEAT_MS },
    onStatus: ({ type }) => states.push(type),
  });
  await using session = await connection.createSession({ cwd: daemon.workspace });
  let text = "";
  let whole = "";
  for await (const event of session.stream(`count ${seconds * 20} every 50`, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") text += event.text;
    if (event.type === "result") whole = event.text;
  }
  // Then an idle time with heartbeats only.
  await delay(context.count(5_000, 1_000));
  await connection.listOpenedSessions();
  assert.deepEqual(states, ["connected"], "no false verdict");
  assert.equal(proxy.accepted, 1, "one link for all of it");
  assert.equal(text, whole, "in order, each once");
  return `${seconds} s of 0–200 ms delays, heartbeat ${HEARTBEAT_MS} ms × ${heartbeats}: no false verdict, ${whole.length} characters in order`;
}

async function outOfDescriptors(daemon: ForegroundDaemon, context: FaultContext): Promise<string> {
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const host = { host: "127.0.0.1", port: daemon.port };
  const raws = await Promise.all(Array.from({ length: 200 }, () => RawSocket.open(host)));
  await delay(100);
  // The kept session works while nothing is free.
  for await (const event of session.stream("say still here")) {
    if (event.type === "result") assert.equal(event.text.trim(), "still here");
  }
  const spawned: unknown = await within(20_000, connection.createSession({ cwd: daemon.workspace })).catch(
    (e: unknown) => e,
  );
  const code = Reflect.get(Object(spawned), "code") ?? "no failure";
  if (spawned instanceof Error) assert.ok(typeof code === "string" && code !== "", `a typed error: ${String(spawned)}`);
  const refused = raws.filter(({ socket }) => socket.destroyed).length;
  for (const raw of raws) raw.socket.destroy();
  const started = performance.now();
  for (;;) {
    const client = await RawClient.connect(daemon.url, daemon.token).catch(() => undefined);
    client?.socket.terminate();
    if (client !== undefined) break;
    assert.ok(performance.now() - started < BACK_MS * context.slowness, "it takes peers again");
    await delay(20);
  }
  const took = performance.now() - started;
  assert.ok(took <= BACK_MS * context.slowness, `back after ${took} ms`);
  return `${OPEN_FILES} descriptors, 200 peers: ${refused} refused, the session went on, a spawn then: ${code}; open again after ${Math.round(took)} ms`;
}
