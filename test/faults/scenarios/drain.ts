import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { round } from "../support/figures.js";
import { ProbedDaemon } from "../support/probed-daemon.js";

const POLL_MS = 10;
const DRAIN_MS = 5_000;
/** What agents get to end an interrupted turn politely, and then the daemon to end them. */
const GRACE_MS = 2_000;
/** Every so many sessions one has a turn that takes longer than the daemon's patience. */
const LONG_ONES = 10;

/** F15: a daemon that gets a stop signal. */
export const drainScenarios: readonly FaultScenario[] = [
  {
    id: "F15",
    title: "a daemon that stops takes nothing more, delivers what it has, and tells which turns it cut",
    isQuick: true,
    limitMs: 120_000,
    async run(context) {
      await using daemon = await ProbedDaemon.start();
      return await drain(daemon, context);
    },
  },
];

interface Streamed {
  readonly expected: number;
  readonly numbers: readonly number[];
  readonly subtype: string;
}

async function drain(daemon: ProbedDaemon, context: FaultContext): Promise<string> {
  const count = context.count(100, 4);
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token, reconnect: false });
  const sessions: DaemonSession[] = [];
  for (let opened = 0; opened < count; opened += 1) {
    sessions.push(await connection.createSession({ cwd: daemon.workspace }));
  }
  const idle = await connection.createSession({ cwd: daemon.workspace });
  const runs = sessions.map((session, index) => streamed(session, index % LONG_ONES === 0 ? 600 : 40));
  await Promise.all(runs.map(({ begun }) => begun));
  const port = Number(new URL(daemon.url).port);
  const started = performance.now();
  const gone = daemon.end("SIGTERM");
  await refusesNew(daemon.workspace, port, connection, idle);
  const ends = await Promise.all(runs.map(({ done }) => done));
  const code = await gone;
  const took = performance.now() - started;
  assert.equal(code, 0, "it ended by itself");
  assert.ok(took <= (DRAIN_MS + GRACE_MS) * context.slowness, `stopping took ${round(took)} ms`);
  return verdict(ends, took, daemon.log);
}

/** The numbers a turn counts through, as they come; its end. */
function streamed(session: DaemonSession, expected: number) {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const consume = async (): Promise<Streamed> => {
    let text = "";
    let subtype = "none";
    const stream = session.stream(`count ${expected} every 50`, { includePartialMessages: true });
    for await (const event of stream) {
      if (event.type === "assistant_text_delta") {
        text += event.text;
        begin();
      }
      if (event.type === "result") subtype = event.subtype;
    }
    return { expected, numbers: text.trim().split(" ").map(Number), subtype };
  };
  return { begun, done: consume() };
}

/** From the signal on: no message, no session, no new connection. */
async function refusesNew(cwd: string, port: number, connection: DaemonConnection, idle: DaemonSession): Promise<void> {
  // The signal has arrived when the door is shut.
  while (await isOpen(port)) await delay(POLL_MS);
  await assert.rejects(idle.send("say late"), (error) => /STOPPING/.test(codeOf(error)));
  await assert.rejects(connection.createSession({ cwd }), (error) => /STOPPING/.test(codeOf(error)));
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  const isReached = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "close").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isReached;
}

function codeOf(error: unknown): string {
  return `${Reflect.get(Object(error), "code")} ${String(error)}`;
}

function verdict(ends: readonly Streamed[], took: number, log: string): string {
  const finished = ends.filter(({ subtype }) => subtype === "success");
  const cut = ends.filter(({ subtype }) => subtype === "interrupted");
  assert.equal(
    finished.length + cut.length,
    ends.length,
    `ended otherwise: ${ends.map((end) => end.subtype).join(" ")}`,
  );
  for (const { numbers, expected, subtype } of ends) {
    assert.deepEqual(
      numbers,
      numbers.map((_none, index) => index + 1),
      "in order, none lost, none doubled",
    );
    if (subtype === "success") assert.equal(numbers.length, expected, "a finished turn was delivered whole");
  }
  assert.ok(
    ends.every(({ expected, subtype }) => expected < 600 || subtype === "interrupted"),
    "long turns were cut",
  );
  assert.match(log, new RegExp(`"interrupted":${cut.length}\\b`), "the log counts them");
  return `${ends.length} streams: ${finished.length} finished and delivered whole, ${cut.length} cut and told so, stopped after ${round(took)} ms`;
}
