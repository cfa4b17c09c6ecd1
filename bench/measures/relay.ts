import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createEnvelope, encodeFrame } from "@daemon-sdk/protocol/relay";
import { type Contestant, type Measure, quantile } from "../measure.js";
import { missingPeers } from "../roles/relay-hub.js";
import { startRole } from "../roles/role.js";
import { ourPair, type Pair, publishedPair, rawPair } from "./relay-pairs.js";

const MESSAGES = 10_000;
/** Sent before the clock starts: a process that has waited for its turn has given memory back, and takes it again. */
const RUN_UP = 2_000;
/** Under way at a time: the published daemon drops what is over 2000 in one queue. */
const WINDOW = 1_000;
const TRIPS = 300;
const ROUNDS = 9;
const BODY = "x".repeat(200);
/** As many are there before the first figure is taken, so that what a busy process takes once counts for none of them. */
const IDLE_CONNECTIONS = 1_000;

const MINIMAL = "published clients, minimal router";
const REAL = "published clients, published daemon";
const THEIRS_OURS = "published clients, our daemon";
const OURS = "our clients, our daemon";

/** Throughput: clients through daemons, beside a router that does nothing else, and beside raw frames. */
export const relayThroughput: Measure = {
  name: "relay",
  title: "Relay: 200 bytes, client → daemon → client",
  unit: "messages/s",
  better: "more",
  limit: MINIMAL,
  rounds: ROUNDS,
  bars: [
    { contestant: THEIRS_OURS, of: REAL, atLeast: 3 },
    { contestant: OURS, of: REAL, atLeast: 4 },
  ],
  missing: missingPeers,
  open: () => openPairs((pair) => () => throughput(pair)),
};

/** Latency of one message at a time. */
export const relayLatency: Measure = {
  name: "relay",
  title: "Relay: one message after the other, p50 to its arrival",
  unit: "µs",
  better: "less",
  limit: REAL,
  rounds: ROUNDS,
  bars: [{ contestant: THEIRS_OURS, of: REAL, atMost: 1 }],
  missing: missingPeers,
  open: () => openPairs((pair) => () => latency(pair)),
};

/** What an idle connection costs our daemon. */
export const relayMemory: Measure = {
  name: "relay",
  title: `Relay: memory of an idle connection, ${IDLE_CONNECTIONS} beside as many others`,
  unit: "KiB",
  better: "less",
  rounds: 3,
  warmUpRounds: 0,
  bars: [{ contestant: "our daemon", atMost: 12 }],
  async open() {
    return { contestants: [{ name: "our daemon", round: idleKiB }], close: async () => {} };
  },
};

async function openPairs(roundOf: (pair: Pair) => Contestant["round"]) {
  const pairs = [
    await rawPair("raw frames over two unix sockets"),
    await publishedPair("minimal", MINIMAL),
    await publishedPair("published", REAL),
    await publishedPair("ours", THEIRS_OURS),
    await ourPair(OURS, false),
    await ourPair("our clients with receipts, our daemon", true),
  ];
  return {
    contestants: pairs.map((pair) => ({ name: pair.name, round: roundOf(pair) })),
    async close() {
      await Promise.all(pairs.map((pair) => pair.close()));
    },
  };
}

async function throughput(pair: Pair): Promise<number> {
  await pump(pair, RUN_UP);
  const started = performance.now();
  await pump(pair, MESSAGES);
  return (MESSAGES / (performance.now() - started)) * 1000;
}

/** Sends so many messages, a window of them at a time. Resolves when the last one has arrived. */
function pump(pair: Pair, messages: number): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    let arrived = 0;
    const fill = (): void => {
      while (sent < messages && sent - arrived < WINDOW) {
        sent += 1;
        pair.send(BODY);
      }
    };
    pair.onArrival = () => {
      arrived += 1;
      if (arrived === messages) resolve();
      else if (sent - arrived <= WINDOW / 2) fill();
    };
    fill();
  });
}

async function latency(pair: Pair): Promise<number> {
  const figures: number[] = [];
  for (let trip = 0; trip < TRIPS; trip += 1) {
    const started = performance.now();
    await new Promise<void>((resolve) => {
      pair.onArrival = resolve;
      pair.send(BODY);
    });
    figures.push((performance.now() - started) * 1000);
  }
  return quantile(figures, 0.5);
}

/** A daemon of its own each time: what a process once took it does not give back. */
async function idleKiB(): Promise<number> {
  const role = await startRole("relay-hub", "ours");
  const rss = async () => {
    const answer = once(role.child, "message");
    role.tell({ rss: true });
    return ((await answer) as [{ rss: number }])[0].rss;
  };
  const path = String(role.ready.socketPath);
  const sockets: Socket[] = [];
  while (sockets.length < IDLE_CONNECTIONS) sockets.push(await idleConnection(path, sockets.length));
  await rss();
  const before = await rss();
  while (sockets.length < 2 * IDLE_CONNECTIONS) sockets.push(await idleConnection(path, sockets.length));
  const after = await rss();
  for (const socket of sockets) socket.destroy();
  await role.stop();
  return (after - before) / IDLE_CONNECTIONS / 1024;
}

async function idleConnection(path: string, index: number): Promise<Socket> {
  const socket = connect(path);
  socket.write(encodeFrame(createEnvelope("HELLO", { agent: `idle-${index}`, entityType: "user" })));
  await once(socket, "data");
  // Keep reading: each connection is notified of each new one.
  return socket.resume();
}
