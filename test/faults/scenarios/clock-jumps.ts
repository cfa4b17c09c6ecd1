import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectionStatus, connectDaemon, type DaemonSession } from "@daemon-sdk/client";
import { FakeClock } from "@daemon-sdk/testing";
import { ChaosProxy } from "@daemon-sdk/testing/node";
import { within } from "../../stress/check.js";
import type { FaultScenario } from "../scenario.js";
import { round } from "../support/figures.js";
import { ProbedDaemon } from "../support/probed-daemon.js";
import { recordingDial } from "../support/recording-dial.js";

const HOUR_MS = 3_600_000;
const SLEEP_MS = 600_000;
const JUMPS_MS = [HOUR_MS, 0, -HOUR_MS, HOUR_MS, 0];
const COUNT = 60;
const LONG_MS = 30_000;
/** Longer than all jumps take, far less than one of them. */
const DEADLINE_MS = 600_000;

/** F7: wall clocks that are set, and computers that sleep. */
export const clockScenarios: readonly FaultScenario[] = [
  {
    id: "F7",
    title: "an hour forth or back fires no timer early or never, and after a sleep the link is asked before it is used",
    isQuick: true,
    limitMs: 120_000,
    async run(context) {
      await using daemon = await ProbedDaemon.start({ requestTimeoutMs: DEADLINE_MS });
      const jumped = await daemonJumps(daemon);
      const answered = await sleepsOn(daemon, false, context.seed);
      const dead = await sleepsOn(daemon, true, context.seed);
      return `the daemon's clock set ${JUMPS_MS.length} times by an hour or two: ${jumped}; asleep for 10 min: ${answered}, ${dead}`;
    },
  },
];

/** The daemon's wall clock is set while a turn runs, a request is pending, a ticket is unused, and connections are idle. */
async function daemonJumps(daemon: ProbedDaemon): Promise<string> {
  const { url, token } = daemon;
  const states: string[] = [];
  // A patient client: what the jumps do to the daemon's judgement of the link shows all the same.
  const heartbeat = { intervalMs: 1_000, timeoutMs: LONG_MS };
  await using connection = await connectDaemon({ url, token, heartbeat, onStatus: ({ type }) => states.push(type) });
  await using counting = await connection.createSession({ cwd: daemon.workspace });
  await using asking = await connection.createSession({ cwd: daemon.workspace });
  const turn = numbersOf(counting);
  const { messageId } = await asking.send("ask Which? red | blue");
  while (asking.getPendingAskUserRequests().length === 0) await delay(20);
  const { ticket } = await connection.createTicket();
  for (const shiftMs of JUMPS_MS) {
    await daemon.shiftClock(shiftMs);
    await connection.listOpenedSessions();
    await delay(300);
  }
  await daemon.shiftClock(HOUR_MS);
  await using page = await connectDaemon({ url, ticket, reconnect: false });
  await page.listOpenedSessions();
  const [request] = asking.getPendingAskUserRequests();
  assert.ok(request !== undefined, "the question still waits");
  const answers = request.questions.map(({ index, question }) => ({ index, question, answer: "blue" }));
  await asking.respondToAskUser(request.requestId, { answers });
  const { state } = await within(LONG_MS, asking.waitForReceipt(messageId));
  assert.equal(state, "completed");
  assert.deepEqual(
    await within(LONG_MS, turn),
    Array.from({ length: COUNT }, (_none, index) => index + 1),
  );
  assert.deepEqual(states, ["connected"], "no link was taken for dead");
  await daemon.shiftClock(0);
  return "a turn, a question, a ticket and the heartbeat went on";
}

async function numbersOf(session: DaemonSession): Promise<number[]> {
  const numbers: number[] = [];
  for await (const event of session.stream(`count ${COUNT} every 50`, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") numbers.push(Number(event.text));
  }
  return numbers;
}

/** The client's computer sleeps: its wall clock advances, its timers do not. Then a prompt is sent on the old link. */
async function sleepsOn(daemon: ProbedDaemon, isDead: boolean, seed: number): Promise<string> {
  await using proxy = await ChaosProxy.start({ target: { path: daemon.socketPath }, seed });
  const clock = new FakeClock();
  const { sent, dial } = recordingDial();
  const url = `ws://127.0.0.1:${proxy.port}`;
  let isFound = false;
  let pauseMs = 0;
  const onStatus = (status: ConnectionStatus) => {
    if (status.type !== "reconnecting") return;
    isFound = true;
    pauseMs += status.delayMs;
  };
  await using connection = await connectDaemon({ url, token: daemon.token, transport: dial, clock, onStatus });
  await using session = await connection.createSession({ cwd: daemon.workspace });
  // Half-open, as after a NAT has forgotten it: no word to either side.
  if (isDead) proxy.connections[0]?.stall();
  clock.jump(SLEEP_MS);
  const before = sent.length;
  const acknowledged = session.send("say awake");
  const started = performance.now();
  for (let isThere = false; !isThere; ) {
    assert.ok(performance.now() - started < LONG_MS, "the prompt is acknowledged");
    // Until it is found out, and for the pause before the next try. To dial takes real time, in which no other may pass.
    const passingMs = isDead && !isFound ? 1_000 : pauseMs;
    pauseMs = 0;
    if (passingMs > 0) await clock.advance(passingMs);
    isThere = await Promise.race([acknowledged.then(() => true), delay(20, false)]);
  }
  const methods = sent.slice(before).map(({ method }) => String(method).replace("daemon.", ""));
  assert.equal(methods[0], "ping", `asked first: ${methods.join(", ")}`);
  assert.equal(methods.filter((method) => method === "add_user_message").length, 1, `sent once: ${methods.join(", ")}`);
  assert.equal(proxy.accepted, isDead ? 2 : 1, "links");
  const { messageId } = await acknowledged;
  const receipt = await session.getReceipt(messageId);
  assert.notEqual(receipt.state, "unknown");
  const took = `${round(performance.now() - started)} ms`;
  return isDead ? `a dead link was found out and replaced before the prompt` : `ping before the prompt (${took})`;
}
