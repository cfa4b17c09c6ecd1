import assert from "node:assert/strict";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { Ledger } from "@daemon-sdk/testing";
import { ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { quantile, round } from "../support/figures.js";
import { type ForegroundDaemon, startForeground } from "../support/foreground-daemon.js";
import { journalHeads } from "../support/journal-heads.js";
import { PositionedDial } from "../support/positioned-dial.js";

const HEARTBEAT = { intervalMs: 200, timeoutMs: 200 };
const MARK_MS = 500;
const ROUNDS = 20;
const SOON_MS = 20_000;

/** F3: links that are dead and do not say so. */
export const halfOpenScenarios: readonly FaultScenario[] = [
  {
    id: "F3",
    title:
      "a link that says nothing more, and a daemon that stands still, are noticed in time, and everything goes on after it",
    isQuick: true,
    limitMs: 120_000,
    async run(context) {
      await using daemon = await startForeground();
      const stalled = await noticed(daemon, context, context.count(ROUNDS, 3), "stall");
      const stopped = await noticed(daemon, context, context.count(ROUNDS / 4, 2), "SIGSTOP");
      return `heartbeat 200 + 200 ms: a stalled link noticed after ${stalled}, a stopped daemon after ${stopped}; every event once and in order`;
    },
  },
];

/** How long until the client knew, as p50 and the longest. */
async function noticed(
  daemon: ForegroundDaemon,
  context: FaultContext,
  rounds: number,
  how: "stall" | "SIGSTOP",
): Promise<string> {
  await using proxy = await ChaosProxy.start({ target: { path: daemon.socketPath }, seed: context.seed });
  const dial = new PositionedDial();
  const ledger = new Ledger({ seed: context.seed });
  const states = new EventTarget();
  const onStatus = ({ type }: { type: string }) => states.dispatchEvent(new Event(type));
  const options = { token: daemon.token, transport: dial.dial, heartbeat: HEARTBEAT, onStatus };
  await using connection = await connectDaemon({ url: `ws://127.0.0.1:${proxy.port}`, ...options });
  await using session = await connection.createSession({ cwd: daemon.workspace });
  dial.follow(session, ledger, how);
  const times: number[] = [];
  for (let turn = 0; turn < rounds; turn += 1) {
    const ended = streamOne(session, ledger);
    await firstWord(session);
    const lost = new Promise((resolve) => states.addEventListener("reconnecting", resolve, { once: true }));
    const started = performance.now();
    if (how === "stall") proxy.connections.at(-1)?.stall();
    else process.kill(daemon.pid, "SIGSTOP");
    await within(SOON_MS, lost);
    times.push(performance.now() - started);
    if (how === "SIGSTOP") process.kill(daemon.pid, "SIGCONT");
    await within(SOON_MS, ended);
    await within(SOON_MS, settle(connection));
  }
  for (const [id, head] of await journalHeads(daemon, [session.sessionId])) ledger.head(id, head);
  assert.deepEqual(ledger.verify(), []);
  const slowest = Math.max(...times);
  assert.ok(slowest <= MARK_MS * context.slowness, `noticed after ${round(slowest)} ms`);
  return `${round(quantile(times, 0.5))} ms (p50, longest ${round(slowest)})`;
}

/** A turn in which the agent talks for longer than it takes to notice; resolves at its end. */
async function streamOne(session: DaemonSession, ledger: Ledger): Promise<void> {
  const messageId = crypto.randomUUID();
  ledger.promise(messageId, session.sessionId);
  let result = "";
  for await (const event of session.stream("count 60 every 10", { messageId })) {
    assert.notEqual(event.type, "gap");
    if (event.type === "result") result += event.subtype;
  }
  assert.equal(result, "success");
}

function firstWord(session: DaemonSession): Promise<void> {
  return new Promise((resolve) => {
    const stop = session.onNotification(
      () => {
        stop();
        resolve();
      },
      { type: "assistant_text_delta" },
    );
  });
}

/** Twice: what was missed comes before the second answer. */
async function settle(connection: DaemonConnection): Promise<void> {
  await connection.listOpenedSessions();
  await connection.listOpenedSessions();
}
