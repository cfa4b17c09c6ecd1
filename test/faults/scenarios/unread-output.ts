import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { LIMITS } from "@daemon-sdk/protocol";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { bytes, quantile, residentBytes, round, withoutProc } from "../support/figures.js";
import { ProbedDaemon } from "../support/probed-daemon.js";
import { recordingDial } from "../support/recording-dial.js";

/** Programs are started in the root of the repository. */
const AGENT = join(process.cwd(), "test", "faults", "support", "loud-agent.mjs");
const DELTAS = 320;
const DELTA_BYTES = 64 * 1024;
const LOUD_MS = 5_000;
const RSS_BYTES = 16 * 2 ** 20;
const OTHERS = 10;
const TICK_MS = 20;
const SLOWDOWN = 2;
const ROUNDS = 3;
/** Rounds in which code is still being compiled, and buffers and the collector's nursery come to their size. */
const ROUNDS_BEFORE = 3;

/** L5: output that nobody reads. */
export const unreadOutputScenarios: readonly FaultScenario[] = [
  {
    id: "L5",
    title: "20 MiB that nobody reads cost the daemon no memory, end their turn, and slow nobody",
    isQuick: true,
    limitMs: 300_000,
    cannotRun: withoutProc,
    async run(context) {
      const agents = { loud: { command: [process.execPath, AGENT] } };
      await using daemon = await ProbedDaemon.start({ agents, defaultAgent: "loud" });
      await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
      const queued = await slowReader(daemon, context.isSample ? DELTAS / 8 : DELTAS);
      const others = await Promise.all(
        Array.from({ length: context.count(OTHERS, 3) }, () => connection.createSession({ cwd: daemon.workspace })),
      );
      const memory = await nobodyReads(daemon, connection, others, context);
      return `${memory}; a reader that stands still: ${queued}`;
    },
  },
];

/** Loud and quiet rounds in turns, so that what else runs here hits both. */
async function nobodyReads(
  daemon: ProbedDaemon,
  connection: DaemonConnection,
  others: readonly DaemonSession[],
  context: FaultContext,
): Promise<string> {
  const loudMs = context.count(LOUD_MS, 1_000);
  const session = await connection.createSession({ cwd: daemon.workspace });
  await Promise.all([saysMuch(session, loudMs), latency(others, loudMs)]);
  const base = await daemon.memory();
  for (let turn = 1; turn < context.count(ROUNDS_BEFORE); turn += 1)
    await Promise.all([saysMuch(session, loudMs), latency(others, loudMs)]);
  const quiet: number[] = [];
  const loud: number[] = [];
  let peak = 0;
  const rounds = context.count(ROUNDS);
  for (let turn = 0; turn < rounds; turn += 1) {
    quiet.push(await latency(others, loudMs));
    const watch = peakOf(daemon.pid);
    const [, p99] = await Promise.all([saysMuch(session, loudMs), latency(others, loudMs)]);
    loud.push(p99);
    peak = Math.max(peak, watch.stop());
  }
  const { rss } = await daemon.memory();
  const growth = rss - base.rss;
  // What is unread is several times this in a sample, too.
  assert.ok(growth <= RSS_BYTES * (context.isSample ? 2 : 1), `the daemon grew by ${bytes(growth)}`);
  const [still, noisy] = [Math.min(...quiet), Math.min(...loud)];
  const mark = SLOWDOWN * still * Math.max(1, context.slowness) + 1;
  assert.ok(noisy <= mark, `p99 of the others ${round(noisy)} ms, quiet ${round(still)} ms`);
  return (
    `${rounds} × ${bytes(DELTAS * DELTA_BYTES)} in ${round(loudMs / 1000)} s unread: turns ended, daemon RSS + ${bytes(growth)} ` +
    `(at most + ${bytes(peak - base.rss)} meanwhile), p99 of ${others.length} others ${round(noisy)} ms, quiet ${round(still)} ms`
  );
}

/** A turn that has no reader, to its end. */
async function saysMuch(session: DaemonSession, ms: number): Promise<void> {
  const { messageId } = await session.send(`loud ${DELTAS} ${DELTA_BYTES} ${ms}`);
  const { state } = await within(60_000, session.waitForReceipt(messageId));
  assert.equal(state, "completed");
}

/** 99 of 100 events of these sessions take no longer from the agent's mouth to the consumer, in ms. */
async function latency(sessions: readonly DaemonSession[], ms: number): Promise<number> {
  const took: number[] = [];
  const listen = async (session: DaemonSession) => {
    const prompt = `tick ${Math.round(ms / TICK_MS)} 0 ${ms}`;
    for await (const event of session.stream(prompt, { includePartialMessages: true })) {
      if (event.type === "assistant_text_delta") took.push(Number(process.hrtime.bigint() - BigInt(event.text)) / 1e6);
    }
  };
  await Promise.all(sessions.map(listen));
  return quantile(took, 0.99);
}

function peakOf(pid: number) {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, 50);
  return {
    stop(): number {
      clearInterval(timer);
      return peak;
    },
  };
}

/** A consumer that takes one event and then none: what was sent to it. Then it reads on, and gets all the rest in order. */
async function slowReader(daemon: ProbedDaemon, deltas: number): Promise<string> {
  const { received, dial } = recordingDial();
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token, transport: dial });
  await using session = await connection.createSession({ cwd: daemon.workspace });
  const stream = session.stream(`loud ${deltas} ${DELTA_BYTES} 500`, { includePartialMessages: true });
  const numbers: number[] = [];
  const take = async () => {
    const { done, value } = await within(30_000, stream.next());
    if (value?.type === "assistant_text_delta") numbers.push(Number.parseInt(value.text, 10));
    return done !== true;
  };
  while (numbers.length === 0) await take();
  const sent = () => received.filter(({ method }) => method === "daemon.session_notification");
  const isOver = () => sent().some((frame) => JSON.stringify(frame).includes('"agent_turn_completed"'));
  for (let waited = 0; !isOver(); waited += 50) {
    assert.ok(waited < 30_000, "the end of the turn does not wait for the reader");
    await delay(50);
  }
  // One more call: what was on its way has come.
  await connection.listOpenedSessions();
  const held = sent().reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
  const bound = LIMITS.creditBytes + 2 * (DELTA_BYTES + 1_024);
  assert.ok(held <= bound, `${bytes(held)} were sent to a reader that stands still`);
  while (await take());
  assert.deepEqual(
    numbers,
    Array.from({ length: deltas }, (_none, index) => index),
    "all of it, each once, in order",
  );
  return `${bytes(held)} sent (window ${bytes(LIMITS.creditBytes)}), then all ${deltas} events in order`;
}
