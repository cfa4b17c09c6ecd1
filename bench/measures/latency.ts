import type { DaemonSession } from "@daemon-sdk/client";
import type { WebSocket } from "ws";
import { type Measure, quantile, type Round } from "../measure.js";
import { monotonicMicros } from "../roles/paced-agent.js";
import { startRole } from "../roles/role.js";
import { connectTo, type Lane, openDaemon, openLanes, openRaw, openSessions, tokenOf } from "./lanes.js";

const SECONDS = 1;
/** Found out once, before the first round. */
const FLOOD = 30_000;
const LOADS = [0.1, 0.25, 0.5, 0.75, 0.9];
const HALF = ours(0.5);
const MANY = 1_000;
const CONNECTING_AT_ONCE = 50;
/** Enough commits to fill the store's log (4 MiB) while it is measured: each writes a page at least. */
const CHECKPOINTED_RATE = 6_000;
const AMONG_MANY = `stream(), ${MANY} connections attached beside it`;

/** From an agent's write to the event in the loop, at shares of what the path can do at most. */
export const latency: Measure = {
  name: "latency",
  title: "Latency: an agent's write to the event of stream(), p50 at shares of the highest rate",
  unit: "µs",
  better: "less",
  limit: "hand-made pipe, no journal, at our half load",
  rounds: 3,
  warmUpRounds: 1,
  bars: [
    { contestant: HALF, atMost: 500 },
    { contestant: HALF, figure: "p99", atMost: 5_000 },
  ],
  async open() {
    const { daemon, connection } = await openDaemon();
    const [flooding, paced] = [
      ...(await openSessions(connection, 1)),
      ...(await openSessions(connection, 1, { agent: "paced" })),
    ] as [DaemonSession, DaemonSession];
    await flood(flooding);
    const highest = await flood(flooding);
    const hub = await startRole("pipe-hub", "1", "paced");
    const socket = await openRaw(hub.ready.port);
    return {
      contestants: [
        { name: "hand-made pipe, no journal, at our half load", round: () => rawDelays(socket, highest / 2) },
        ...LOADS.map((load) => ({ name: ours(load), round: () => delays(paced, highest * load) })),
      ],
      async close() {
        socket.terminate();
        await connection.close();
        await Promise.all([daemon.stop(), hub.stop()]);
      },
    };
  },
};

/** The same while the store is checkpointed, and while a thousand other connections have a session attached. */
export const latencyAmongMany: Measure = {
  name: "latency-among-many",
  title: `Latency: an agent's write to the event of stream(), with checkpoints, at ${CHECKPOINTED_RATE} events/s, p50`,
  unit: "µs",
  better: "less",
  rounds: 3,
  warmUpRounds: 1,
  bars: [{ contestant: AMONG_MANY, figure: "p99", atMost: 10_000 }],
  open: () => openLanes([amongMany]),
};

async function amongMany(): Promise<Lane> {
  const daemon = await startRole("daemon");
  const token = tokenOf(daemon);
  const connection = await connectTo(daemon, token);
  const [session, watched] = (await openSessions(connection, 2, { agent: "paced" })) as [DaemonSession, DaemonSession];
  const others: Awaited<ReturnType<typeof connectTo>>[] = [];
  while (others.length < MANY) {
    const batch = await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, () => connectTo(daemon, token)));
    await Promise.all(batch.map((other) => other.resumeSession(watched.sessionId)));
    others.push(...batch);
  }
  return {
    contestant: { name: AMONG_MANY, round: () => delays(session, CHECKPOINTED_RATE) },
    async close() {
      await Promise.all([connection, ...others].map((one) => one.close()));
      await daemon.stop();
    },
  };
}

async function flood(session: DaemonSession): Promise<number> {
  const started = performance.now();
  for await (const _ of session.stream(String(FLOOD), { includePartialMessages: true }));
  return (FLOOD / (performance.now() - started)) * 1000;
}

async function delays(session: DaemonSession, rate: number): Promise<Round> {
  const order = `${Math.round(rate)} ${Math.round(rate * SECONDS)}`;
  const micros: number[] = [];
  for await (const event of session.stream(order, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") micros.push(monotonicMicros() - Number(event.text));
  }
  return percentiles(micros);
}

function rawDelays(socket: WebSocket, rate: number): Promise<Round> {
  const count = Math.round(rate * SECONDS);
  const micros: number[] = [];
  socket.removeAllListeners("message");
  const all = new Promise<Round>((resolve) => {
    socket.on("message", (data) => {
      const { params } = JSON.parse(String(data)) as { params: { notification: { textDelta: string } } };
      micros.push(monotonicMicros() - Number(params.notification.textDelta));
      if (micros.length === count) resolve(percentiles(micros));
    });
  });
  socket.send(`${Math.round(rate)} ${count}`);
  return all;
}

function percentiles(micros: readonly number[]): Round {
  return { figure: quantile(micros, 0.5), also: { p99: quantile(micros, 0.99), "p99.9": quantile(micros, 0.999) } };
}

function ours(load: number): string {
  return `stream() at ${load * 100} % of the highest rate`;
}
