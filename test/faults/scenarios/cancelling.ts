import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { FakeDaemon } from "@daemon-sdk/testing";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { quantile, round } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { type Recording, recordingDial } from "../support/recording-dial.js";

const SOON_MS = 20_000;
const STOP_MS = 50;
const REASON = new Error("changed my mind");

/** F14: giving up, whenever. */
export const cancellingScenarios: readonly FaultScenario[] = [
  {
    id: "F14",
    title: "what is cancelled settles once, with the reason, whenever it is; the daemon stops and answers all the same",
    isQuick: true,
    async run(context) {
      await using daemon = await startForeground();
      const recording = recordingDial();
      await using connection = await connectDaemon({ url: daemon.url, token: daemon.token, transport: recording.dial });
      await beforeSend(connection, daemon, recording);
      const stopped = await inFlight(connection, daemon, context);
      await afterResult(connection, daemon);
      await duringReconnect();
      await answeredAll(recording);
      return `before, in flight, after, twice, during a reconnect: each settled once; the daemon stopped in ${round(stopped)} ms (p50)`;
    },
  },
];

async function beforeSend(connection: DaemonConnection, daemon: ForegroundDaemon, { sent }: Recording): Promise<void> {
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const before = sent.length;
  const signal = AbortSignal.abort(REASON);
  await assert.rejects(drain(session.stream("say never", { signal })), is(REASON));
  await assert.rejects(session.send("say never", { signal }), is(REASON));
  assert.ok(!sent.slice(before).some(({ method }) => method === "daemon.add_user_message"), "nothing is sent");
}

/** Aborted once and twice, with an interrupt on top; the time until the daemon has ended the turn. */
async function inFlight(
  connection: DaemonConnection,
  daemon: ForegroundDaemon,
  context: FaultContext,
): Promise<number> {
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const times: number[] = [];
  for (let turn = 0; turn < context.count(20, 4); turn += 1) {
    times.push(await abortOne(session, connection, turn % 2 === 1));
  }
  const median = quantile(times, 0.5);
  assert.ok(median <= STOP_MS * context.slowness, `the daemon stopped after ${round(median)} ms`);
  return median;
}

/** Time from the abort to the turn's end. */
async function abortOne(session: DaemonSession, connection: DaemonConnection, interrupts: boolean): Promise<number> {
  const controller = new AbortController();
  let ends = 0;
  let abortedAt = 0;
  const ended = new Promise<number>((resolve) => {
    session.onNotification(
      () => {
        ends += 1;
        resolve(performance.now() - abortedAt);
      },
      { type: "agent_turn_completed" },
    );
  });
  let deltas = 0;
  const streaming = (async () => {
    const options = { signal: controller.signal, includePartialMessages: true };
    for await (const event of session.stream("count 1000 every 5", options)) {
      if (event.type !== "assistant_text_delta" || ++deltas !== 3) continue;
      abortedAt = performance.now();
      controller.abort(REASON);
      if (interrupts) void session.interrupt();
      controller.abort(new Error("a second reason"));
    }
  })();
  await assert.rejects(within(SOON_MS, streaming), is(REASON));
  const took = await within(SOON_MS, ended);
  assert.ok(deltas < 100, "the turn was cut short");
  assert.equal(await endsOf(session.sessionId, connection, () => ends), 1, "one end");
  return took;
}

/** Number of received ends after the last entry of that turn. */
async function endsOf(sessionId: string, connection: DaemonConnection, ends: () => number): Promise<number> {
  await connection.getSessionMessages(sessionId);
  return ends();
}

async function afterResult(connection: DaemonConnection, daemon: ForegroundDaemon): Promise<void> {
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const controller = new AbortController();
  const types: string[] = [];
  for await (const event of session.stream("say done", { signal: controller.signal })) types.push(event.type);
  controller.abort(REASON);
  controller.abort(REASON);
  assert.equal(types.filter((type) => type === "result").length, 1);
  // The next turn is not touched by it.
  await drain(session.stream("say next"));
}

/** The daemon is away: what is given up settles now, not when it is back. */
async function duringReconnect(): Promise<void> {
  const daemon = new FakeDaemon();
  const connection = await connectDaemon({ transport: daemon.dial, apiKey: "any" });
  const session = await connection.createSession({});
  daemon.stop();
  const controller = new AbortController();
  let settled = 0;
  const count = () => {
    settled += 1;
  };
  const sending = session.send("later", { signal: controller.signal });
  void sending.then(count, count);
  await delay(30);
  controller.abort(REASON);
  await assert.rejects(within(SOON_MS, sending), is(REASON));
  daemon.start();
  while (daemon.connections === 0) await delay(10);
  await connection.listOpenedSessions();
  assert.equal(settled, 1);
  await connection.close();
}

/** Every request that went out was answered on the wire, given up or not. */
async function answeredAll({ sent, received }: Recording): Promise<void> {
  const deadline = performance.now() + SOON_MS;
  const open = () => {
    const answered = new Set(received.filter(({ type }) => type === "response").map(({ id }) => id));
    return sent.filter(({ type, id }) => type === "request" && !answered.has(id));
  };
  while (open().length > 0 && performance.now() < deadline) await delay(10);
  assert.deepEqual(
    open().map(({ method }) => method),
    [],
    "every request is answered",
  );
}

const is = (reason: Error) => (error: unknown) => error === reason;

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of events);
}
