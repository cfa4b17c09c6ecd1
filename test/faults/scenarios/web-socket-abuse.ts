import assert from "node:assert/strict";
import { once } from "node:events";
import { connectDaemon } from "@daemon-sdk/client";
import type { DaemonProcess } from "../../support/daemon-process.js";
import { startDaemonProcess } from "../../support/daemon-process.js";
import { upgradeText } from "../../support/raw-http.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { bytes, quantile, residentBytes, round, withoutProc } from "../support/figures.js";
import { ProbedDaemon } from "../support/probed-daemon.js";
import { ENVELOPE, RawClient } from "../support/raw-client.js";
import { Opcode, RawSocket, webSocketFrame } from "../support/raw-socket.js";
import { byteByByte } from "./bytes.js";

const GIB = 2 ** 30;
const GROWTH_BYTES = 32 * 2 ** 20;
/** On the heap, after the garbage is collected: less than what even a sample of strays would be, if they were kept. */
const HELD_BYTES = 2 * 2 ** 20;
const AUTHENTICATE_MS = 2_000;
/** A socket in the middle of a handshake is looked at once more before it is cut. */
const CUT_SLACK_MS = 300;

/** B6, B7, B8, B9: what a peer may do to a door that has not let it in, and to one that has. */
export const webSocketAbuseScenarios: readonly FaultScenario[] = [
  {
    id: "B6",
    title: "a message announced as 1 GiB is refused before its body, a flood of empty fragments is cut",
    isQuick: true,
    cannotRun: withoutProc,
    async run(context) {
      await using daemon = await startDaemonProcess();
      const before = residentBytes(daemon.pid);
      using announced = await RawSocket.upgrade(daemon.port);
      await announced.write(webSocketFrame(Opcode.text, Buffer.alloc(0), { announce: GIB }));
      await announced.closed;
      assert.equal(announced.closeCode, 1009);
      using relay = await RawSocket.open({ path: daemon.socketPath });
      await relay.write(Buffer.from([0x40, 0, 0, 0]));
      await relay.closed;
      const sent = await emptyFragments(daemon.port, 1_000_000);
      const growth = residentBytes(daemon.pid) - before;
      assert.ok(growth < GROWTH_BYTES, `the daemon grew by ${bytes(growth)}`);
      await stillServes(daemon);
      return `1 GiB → 1009, empty fragments cut after ${sent} sent, ${byteByByte(context)}, daemon + ${bytes(growth)}`;
    },
  },
  {
    id: "B7",
    title: "deflate is not negotiated, by neither side",
    isQuick: true,
    async run() {
      await using daemon = await startDaemonProcess();
      using raw = await RawSocket.upgrade(daemon.port, [
        ["Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"],
      ]);
      assert.equal(raw.status, 101);
      assert.ok(!raw.heard.toLowerCase().includes("sec-websocket-extensions"), "the daemon takes no extension");
      assert.ok(!(await offeredByOurClient()).includes("sec-websocket-extensions"), "our client offers none");
      return "offered to the daemon: not taken; our client offers none";
    },
  },
  {
    id: "B8",
    title: "silent, slow and unauthenticated peers are cut in time, while a client gets in",
    isQuick: true,
    limitMs: 90_000,
    async run(context) {
      await using daemon = await startDaemonProcess();
      return await slowloris(daemon, context);
    },
  },
  {
    id: "B9",
    title: "unknown methods, answers to nothing, used ids and floods are answered or ignored, and nothing grows",
    isQuick: true,
    async run(context) {
      await using daemon = await ProbedDaemon.start();
      using client = await RawClient.connect(daemon.url, daemon.token);
      return await flood(daemon, client, context);
    },
  },
];

async function emptyFragments(port: number, count: number): Promise<number> {
  using raw = await RawSocket.upgrade(port);
  const batch = Buffer.concat(
    Array.from({ length: 1_000 }, () => webSocketFrame(Opcode.continuation, Buffer.alloc(0), { isLast: false })),
  );
  await raw.write(webSocketFrame(Opcode.text, Buffer.alloc(0), { isLast: false }));
  let sent = 1;
  for (; sent < count && raw.closeCode === undefined && !raw.socket.destroyed; sent += 1_000) {
    await raw.write(batch);
    // What is in flight counts for nothing: the answer may be here already.
    await new Promise((go) => setImmediate(go));
  }
  await raw.closed;
  // The message never ends, so nothing but its bound closes it; how much was on its way by then is the kernel's affair.
  assert.equal(raw.closeCode, 1008);
  return sent;
}

async function stillServes(daemon: DaemonProcess): Promise<void> {
  using client = await RawClient.connect(daemon.url, daemon.token);
  assert.equal((await client.call("list_opened_sessions", {})).error, undefined);
}

/** The upgrade request of our client, as a stranger sees it. */
async function offeredByOurClient(): Promise<string> {
  const { createServer } = await import("node:net");
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const attempt = connectDaemon({ url: `ws://127.0.0.1:${port}`, apiKey: "any" }).catch(() => undefined);
  const [socket] = await once(server, "connection");
  const [chunk] = await once(socket, "data");
  server.close();
  const giveUp = new AbortController();
  socket.end("HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  giveUp.abort();
  await attempt;
  return String(chunk).toLowerCase();
}

async function slowloris(daemon: DaemonProcess, context: FaultContext): Promise<string> {
  const count = context.count(500, 50);
  const quiet = await connectMs(daemon);
  const host = { host: "127.0.0.1", port: daemon.port };
  const half = upgradeText([["Host", `127.0.0.1:${daemon.port}`]]).slice(0, 40);
  const kinds: ((index: number) => Promise<RawSocket>)[] = [
    () => RawSocket.open(host),
    () => RawSocket.open({ path: daemon.socketPath }),
    async (index) => {
      const raw = await RawSocket.open(index % 2 === 0 ? host : { path: daemon.socketPath });
      void raw.write(half);
      return raw;
    },
    () => RawSocket.upgrade(daemon.port),
  ];
  const lives: number[] = [];
  const all: RawSocket[] = [];
  const entries: number[] = [];
  for (let opened = 0; opened < count; opened += 50) {
    const raws = await Promise.all(
      Array.from({ length: Math.min(50, count - opened) }, (_none, index) => kinds[index % kinds.length]?.(index)),
    );
    for (const raw of raws) {
      if (raw === undefined) continue;
      all.push(raw);
      void raw.lifeMs.then((ms) => lives.push(ms));
    }
    entries.push(await connectMs(daemon));
  }
  while (lives.length < count) await new Promise((again) => setTimeout(again, 20));
  for (const raw of all) raw.socket.destroy();
  const longest = Math.max(...lives);
  const entry = quantile(entries, 0.5);
  const bound = (AUTHENTICATE_MS + CUT_SLACK_MS) * context.slowness;
  assert.ok(longest <= bound, `a silent peer was cut after ${round(longest)} ms`);
  assert.ok(entry <= Math.max(100, 5 * quiet) * context.slowness, `a client needed ${round(entry)} ms`);
  return `${count} silent peers, the last cut after ${round(longest)} ms; a client in ${round(entry)} ms (quiet ${round(quiet)})`;
}

/** How long our client takes from nothing to an answer. */
async function connectMs(daemon: DaemonProcess): Promise<number> {
  const started = performance.now();
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
  await connection.listOpenedSessions();
  return performance.now() - started;
}

async function flood(daemon: ProbedDaemon, client: RawClient, context: FaultContext): Promise<string> {
  assert.equal((await client.call("no_such_method", {})).error?.code, -32601);
  for (const result of [{}, { selectedOption: "proceed_once" }]) {
    client.send(JSON.stringify({ ...ENVELOPE, type: "response", id: "never-asked", result }));
  }
  const again = { ...ENVELOPE, type: "request", id: "again", method: "daemon.list_opened_sessions", params: {} };
  for (let use = 0; use < 3; use += 1) {
    assert.equal((await client.ask("again", JSON.stringify(again))).error, undefined, "an id that was used before");
  }
  await client.call("list_opened_sessions", {});
  const count = context.count(500_000);
  const stray = JSON.stringify({ ...ENVELOPE, type: "notification", method: "daemon.no_such", params: { a: "x" } });
  await sendMany(client, stray, count / 10);
  const before = await daemon.memory();
  const started = performance.now();
  await sendMany(client, stray, count);
  assert.equal((await client.call("list_opened_sessions", {})).error, undefined);
  const rate = (count / (performance.now() - started)) * 1000;
  const after = await daemon.memory();
  const [growth, held] = [after.rss - before.rss, after.heapUsed - before.heapUsed];
  // A sample is less than its daemon's heap may take from the system for a moment.
  assert.ok(growth < GROWTH_BYTES || context.isSample, `the daemon grew by ${bytes(growth)}`);
  assert.ok(held < HELD_BYTES, `the daemon holds ${bytes(held)} more`);
  return `${count} stray notifications at ${round(rate / 1000)} k/s, daemon ${growth < 0 ? "" : "+ "}${bytes(growth)}`;
}

async function sendMany(client: RawClient, text: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    client.send(text);
    if (sent % 1_000 === 0) while (client.socket.bufferedAmount > 2 ** 20) await new Promise((go) => setImmediate(go));
  }
}
