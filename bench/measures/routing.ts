import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { WebSocket } from "ws";
import type { Measure } from "../measure.js";
import { type RoleProcess, startRole } from "../roles/role.js";
import type { Lane } from "./lanes.js";

const EVENTS = 50_000;
const SESSIONS = [1, 10_000];
const OPENING_AT_ONCE = 200;

/** The least that a client does with an event. */
export const RAW = "ws + JSON.parse + Map.get";
const OURS = (sessions: number) => `our client, ${label(sessions)}`;

/** Events through one connection to the listeners of 1 and of 10 000 sessions, beside a raw socket that parses and looks up. */
export const routing: Measure = {
  name: "routing",
  title: "Routing: one socket, N sessions, deltas of about 300 bytes",
  unit: "events/s",
  better: "more",
  limit: `${RAW}, 1 session`,
  bars: [{ contestant: OURS(10_000), of: OURS(1), atLeast: 0.85 }],
  async open() {
    const lanes = await Promise.all(
      SESSIONS.flatMap((sessions) => [
        rawLane(sessions, `${RAW}, ${label(sessions)}`),
        ourLane(sessions, OURS(sessions)),
      ]),
    );
    return {
      contestants: lanes.map((lane) => lane.contestant),
      async close() {
        await Promise.all(lanes.map((lane) => lane.close()));
      },
    };
  },
};

/** Our client, and a listener for each session. `flags` are those of the feed. */
export async function ourLane(sessions: number, name: string, ...flags: string[]): Promise<Lane> {
  const feed = await startRole("feed", ...flags);
  const connection = await connectDaemon({ url: urlOf(feed), apiKey: "any" });
  const counter = new Counter();
  await openSessions(connection, sessions, () => counter.count());
  return {
    contestant: { name, round: () => counter.round(feed) },
    async close() {
      await connection.close();
      await feed.stop();
    },
  };
}

async function openSessions(connection: DaemonConnection, count: number, onEvent: () => void): Promise<void> {
  for (let opened = 0; opened < count; opened += OPENING_AT_ONCE) {
    const batch = Array.from({ length: Math.min(OPENING_AT_ONCE, count - opened) }, async () => {
      const session = await connection.createSession({ cwd: "/" });
      session.onNotification(onEvent);
    });
    await Promise.all(batch);
  }
}

/** A WebSocket of `ws`, and a map of listeners. */
export async function rawLane(sessions: number, name: string): Promise<Lane> {
  const feed = await startRole("feed");
  const counter = new Counter();
  const listeners = new Map<string, () => void>();
  const socket = new WebSocket(urlOf(feed), { perMessageDeflate: false });
  await new Promise((opened) => socket.once("open", opened));
  for (let index = 0; index < sessions; index += 1) {
    const sessionId = `0d3c6a1e-8a54-4d0e-9a5b-${String(index).padStart(12, "0")}`;
    listeners.set(sessionId, () => counter.count());
    socket.send(JSON.stringify({ id: "i", method: "daemon.initialize_session", params: { sessionId } }));
  }
  socket.on("message", (data) => {
    const { params } = JSON.parse(String(data)) as { params?: { sessionId: string } };
    if (params) listeners.get(params.sessionId)?.();
  });
  return {
    contestant: { name, round: () => counter.round(feed) },
    async close() {
      socket.terminate();
      await feed.stop();
    },
  };
}

/** Counts events, and times how long one feed of them takes. */
class Counter {
  #missing = 0;
  #done: () => void = () => undefined;

  count(): void {
    this.#missing -= 1;
    if (this.#missing === 0) this.#done();
  }

  async round(feed: RoleProcess): Promise<number> {
    this.#missing = EVENTS;
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    const started = performance.now();
    feed.tell({ feed: EVENTS });
    await done;
    return (EVENTS / (performance.now() - started)) * 1000;
  }
}

function urlOf(feed: RoleProcess): string {
  return `ws://127.0.0.1:${feed.ready.port}`;
}

function label(sessions: number): string {
  return sessions === 1 ? "1 session" : `${sessions.toLocaleString("en").replace(",", " ")} sessions`;
}
