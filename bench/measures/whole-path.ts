import type { DaemonConnection, DaemonSession } from "@daemon-sdk/client";
import type { WebSocket } from "ws";
import type { Measure, Round } from "../measure.js";
import { figuresOf } from "../roles/process-figures.js";
import { type RoleProcess, startRole } from "../roles/role.js";
import { connectTo, type Lane, openDaemon, openLanes, openRaw, openSessions } from "./lanes.js";

const EVENTS = 30_000;
/** A thousand prompts take as long as these events. */
const EVENTS_OF_MANY = 100_000;
const CPU = "µs of the daemon's CPU per event";
const BY_HAND = "hand-made pipe, no journal";
const BY_HAND_STORED = "hand-made pipe, journal in segments";

/** Agents' pipes → daemon → journal on disk → socket → `stream()`, beside the same path made by hand. */
export const wholePath: Measure = {
  name: "whole-path",
  title: "Whole path: agents' pipes to stream(), deltas of about 300 bytes",
  unit: "events/s",
  better: "more",
  limit: BY_HAND,
  bars: [
    { contestant: label(1), of: BY_HAND, atLeast: 0.65 },
    { contestant: label(1), of: BY_HAND_STORED, atLeast: 0.9 },
    { contestant: label(100), of: BY_HAND, atLeast: 0.6 },
    { contestant: "3 readers of 1 session", of: BY_HAND, atLeast: 0.45 },
  ],
  open: () =>
    openLanes([
      () => handMade(BY_HAND, 1, 1),
      () => handMade(BY_HAND_STORED, 1, 1, "segments"),
      () => handMade("hand-made pipe, no journal, 3 readers", 1, 3),
      () => handMade("hand-made pipe, no journal, 100 agents", 100, 1),
      () => ours(1, EVENTS),
      () => ours(10, EVENTS),
      () => ours(100, EVENTS),
      () => threeReaders(),
    ]),
};

/** The same with a thousand agents, which takes its time. */
export const manySessions: Measure = {
  name: "many-sessions",
  title: "Whole path: a thousand sessions, each a turn of 100 deltas",
  unit: "events/s",
  better: "more",
  limit: BY_HAND,
  rounds: 3,
  warmUpRounds: 1,
  open: () => openLanes([() => handMade(BY_HAND, 1, 1), () => ours(1_000, EVENTS_OF_MANY)]),
};

/** One round: events per second, and the processor time that the process in the middle took for each. */
async function timed(role: RoleProcess, events: number, work: () => Promise<unknown>): Promise<Round> {
  const before = await figuresOf(role, "cpu");
  const started = performance.now();
  await work();
  const figure = (events / (performance.now() - started)) * 1000;
  const after = await figuresOf(role, "cpu");
  return { figure, also: { [CPU]: (after.cpuMicros - before.cpuMicros) / events } };
}

async function ours(sessions: number, events: number): Promise<Lane> {
  const { daemon, connection } = await openDaemon();
  const open = await openSessions(connection, sessions);
  const each = Math.floor(events / sessions);
  return {
    contestant: {
      name: label(sessions),
      round: () => timed(daemon, each * sessions, () => Promise.all(open.map((session) => readTurn(session, each)))),
    },
    async close() {
      await connection.close();
      await daemon.stop();
    },
  };
}

/** One client has the turn's stream, two more follow the session over connections of their own. */
async function threeReaders(): Promise<Lane> {
  const { daemon, connection } = await openDaemon();
  const [session] = await openSessions(connection, 1);
  if (session === undefined) throw new Error("No session was opened.");
  const others = await Promise.all([0, 1].map(() => connectTo(daemon)));
  const followers = others.map((other) => new Follower(other, session.sessionId));
  return {
    contestant: {
      name: "3 readers of 1 session",
      round: () =>
        timed(daemon, EVENTS, () =>
          Promise.all([readTurn(session, EVENTS), ...followers.map((follower) => follower.readTurn())]),
        ),
    },
    async close() {
      await Promise.all([connection, ...others].map((one) => one.close()));
      await daemon.stop();
    },
  };
}

/** Follows a session from now on, turn after turn. */
class Follower {
  readonly #events;

  constructor(connection: DaemonConnection, sessionId: string) {
    this.#events = connection.follow(sessionId)[Symbol.asyncIterator]();
  }

  async readTurn(): Promise<void> {
    for (;;) {
      const { value, done } = await this.#events.next();
      if (done || value.type === "result") return;
    }
  }
}

/** Runs a turn of that many deltas, and reads it to its end. */
export async function readTurn(session: DaemonSession, events: number): Promise<void> {
  let deltas = 0;
  for await (const event of session.stream(String(events), { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") deltas += 1;
  }
  if (deltas !== events) throw new Error(`The stream gave ${deltas} deltas of ${events}.`);
}

async function handMade(name: string, agents: number, readers: number, ...journal: string[]): Promise<Lane> {
  const hub = await startRole("pipe-hub", String(agents), ...journal);
  const sockets = await Promise.all(Array.from({ length: readers }, () => openRaw(hub.ready.port)));
  const each = Math.floor(EVENTS / agents) * agents;
  return {
    contestant: {
      name,
      round: () =>
        timed(hub, each, () => {
          const all = Promise.all(sockets.map((socket) => count(socket, each)));
          sockets[0]?.send(String(each));
          return all;
        }),
    },
    async close() {
      for (const socket of sockets) socket.terminate();
      await hub.stop();
    },
  };
}

/** Resolves when that many deltas have arrived. */
function count(socket: WebSocket, events: number): Promise<void> {
  return new Promise((resolve) => {
    let missing = events;
    socket.removeAllListeners("message");
    socket.on("message", (data) => {
      const { params } = JSON.parse(String(data)) as { params: { notification: { textDelta: string } } };
      if (params.notification.textDelta) missing -= 1;
      if (missing === 0) resolve();
    });
  });
}

function label(sessions: number): string {
  const text = sessions === 1 ? "1 session" : `${sessions.toLocaleString("en").replace(",", " ")} sessions`;
  return `stream() on our daemon, ${text}`;
}
