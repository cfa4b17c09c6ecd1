import assert from "node:assert/strict";
import { freemem } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { connectDaemon, type DaemonConnection, type DaemonSession } from "@daemon-sdk/client";
import { within } from "../../stress/check.js";
import type { FaultContext, FaultScenario } from "../scenario.js";
import { ChangingDaemon } from "../support/changing-daemon.js";
import { quantile, round } from "../support/figures.js";

const SESSIONS = 100;
const CHANGES = 20;
const PERMISSIONS = 4;
const QUEUED = 10;
const EVERY_MS = 50;
/** Between two changes, on average. */
const PAUSE_MS = 400;
/** How long one change may take with all these sessions, for the length of the turns. */
const CHANGE_MS = 4_000;
const AGENT_BYTES = 50 * 2 ** 20;
const SOON_MS = 120_000;
/** The deadline of U2. */
const WAIT_S = 3;
const WHY =
  /^The daemon was replaced by version 9\.0\.[12], and this turn had not ended within the \d s that were given\.$/;

/** U1, U2: the daemon is replaced by another version. */
export const upgradeScenarios: readonly FaultScenario[] = [
  {
    id: "U1",
    title:
      "a daemon that is replaced again and again loses and ends no turn, no pending permission and no queued message",
    isQuick: true,
    limitMs: 900_000,
    cannotRun: tooSmall,
    run: keep,
  },
  {
    id: "U2",
    title: "a daemon that is replaced by a deadline ends only the turns that are past it, and tells each why",
    isQuick: true,
    limitMs: 400_000,
    run: endLate,
  },
];

function tooSmall(): string | undefined {
  const isShort = freemem() < SESSIONS * AGENT_BYTES;
  return isShort ? `${SESSIONS} agents need ${SESSIONS * 50} MiB of memory` : undefined;
}

async function keep(context: FaultContext): Promise<string> {
  await using daemon = await ChangingDaemon.start();
  let reconnects = 0;
  await using connection = await connectDaemon({
    onStatus: ({ type }: { type: string }) => {
      if (type === "connected") reconnects += 1;
    },
  });
  reconnects = 0;
  const open = () => connection.createSession({ cwd: daemon.workspace });
  const changes = context.count(CHANGES, 2);
  // A busy machine takes longer for each change: as the sample is small, half of it is enough there.
  const changeMs = CHANGE_MS * (context.isSample ? 0.5 : Math.max(1, context.slowness));
  const numbers = Math.ceil((changes * (PAUSE_MS + changeMs)) / EVERY_MS);
  const streams: Streamed[] = [];
  const count = context.count(SESSIONS, 4);
  for (let index = 0; index < count; index += 1) streams.push(streamed(await open(), numbers));
  const asking = await Promise.all(
    Array.from({ length: PERMISSIONS }, (_none, index) => asked(connection, daemon, index)),
  );
  const queue = await queued(await open(), changes * PAUSE_MS);
  await within(SOON_MS, Promise.all(streams.map(({ begun }) => begun)));
  const took: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    // An agent of each daemon, so that each of them holds one for the next.
    streams.push(streamed(await open(), Math.ceil(numbers / 2)));
    await within(SOON_MS, streams.at(-1)?.begun ?? Promise.resolve());
    await delay(PAUSE_MS / 2 + context.below(PAUSE_MS));
    took.push(await within(SOON_MS, daemon.change()));
    await connection.listOpenedSessions();
    assert.equal(reconnects, change + 1, "one reconnect for each change");
  }
  const ranThrough = streams.slice(0, count).every(({ isRunning }) => isRunning);
  assert.ok(context.isSample || ranThrough, "the first turns were long enough to run through every change");
  for (const { answer } of asking) answer();
  for (const { done } of asking) assert.equal(await within(SOON_MS, done), "success");
  await within(SOON_MS, Promise.all(queue));
  const ends = await within(SOON_MS + numbers * EVERY_MS, Promise.all(streams.map(({ done }) => done)));
  judge(ends, daemon);
  return (
    `${changes} changes under ${streams.length} streams, ${PERMISSIONS} permissions and ${QUEUED} queued messages: 0 turns lost or ended, ` +
    `one reconnect each; a change took ${round(quantile(took, 0.5))} ms (longest ${round(Math.max(...took))})`
  );
}

interface StreamEnd {
  readonly expected: number;
  readonly numbers: readonly number[];
  readonly subtype: string;
  readonly gaps: number;
}

interface Streamed {
  /** Whether its turn has not ended. */
  readonly isRunning: boolean;
  readonly begun: Promise<void>;
  readonly done: Promise<StreamEnd>;
}

/** The numbers that a turn counts through, as they come; its end. */
function streamed(session: DaemonSession, expected: number): Streamed {
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const consume = async (): Promise<StreamEnd> => {
    let text = "";
    let subtype = "none";
    let gaps = 0;
    const stream = session.stream(`count ${expected} every ${EVERY_MS}`, { includePartialMessages: true });
    for await (const event of stream) {
      if (event.type === "gap") gaps += 1;
      if (event.type === "assistant_text_delta") {
        text += event.text;
        begin();
      }
      if (event.type === "result") subtype = `${event.subtype} ${event.reason ?? ""}`.trim();
    }
    return { expected, numbers: text.trim().split(" ").map(Number), subtype, gaps };
  };
  let isRunning = true;
  const done = consume().finally(() => {
    isRunning = false;
  });
  return {
    begun,
    done,
    get isRunning() {
      return isRunning;
    },
  };
}

/** A turn that waits for a permission until `answer` is called. */
async function asked(connection: DaemonConnection, daemon: ChangingDaemon, index: number) {
  let answer = () => {};
  let count = 0;
  const answered = new Promise<"proceed_once">((resolve) => {
    answer = () => resolve("proceed_once");
  });
  const waiting = new Promise<void>((resolve) => {
    void connection
      .createSession({
        cwd: daemon.workspace,
        permissionHandler: () => {
          count += 1;
          resolve();
          return answered;
        },
      })
      .then((session) => play(session));
  });
  let end: (subtype: string) => void = () => {};
  const done = new Promise<string>((resolve) => {
    end = resolve;
  });
  const play = async (session: DaemonSession) => {
    for await (const event of session.stream(`append asked-${index}.txt: once`)) {
      if (event.type === "result") end(count === 1 ? event.subtype : `asked ${count} times`);
    }
  };
  await within(SOON_MS, waiting);
  return { answer, done };
}

/** A turn, and behind it messages that wait; each resolves when it was answered. */
async function queued(session: DaemonSession, ms: number): Promise<Promise<void>[]> {
  const ends: Promise<void>[] = [];
  const prompts = [
    `count ${Math.ceil(ms / 100)} every 100`,
    ...Array.from({ length: QUEUED }, (_none, at) => `say ${at}`),
  ];
  for (const prompt of prompts) {
    const { messageId } = await session.send(prompt);
    ends.push(completed(session, messageId));
  }
  return ends;
}

async function completed(session: DaemonSession, messageId: string): Promise<void> {
  const { state } = await session.waitForReceipt(messageId);
  assert.equal(state, "completed");
}

function judge(ends: readonly StreamEnd[], daemon: ChangingDaemon): void {
  for (const { numbers, expected, subtype, gaps } of ends) {
    assert.equal(subtype, "success completed", daemon.log.slice(-4_000));
    assert.equal(gaps, 0, "no gap");
    assert.deepEqual(
      numbers,
      Array.from({ length: expected }, (_none, index) => index + 1),
      "in order, none lost, none doubled",
    );
  }
}

/**
 * Turns of two lengths under each change: those within the deadline end by themselves, the others are ended, and what is queued runs
 * afterwards.
 */
async function endLate(context: FaultContext): Promise<string> {
  await using daemon = await ChangingDaemon.start();
  let reconnects = -1;
  await using connection = await connectDaemon({
    onStatus: ({ type }: { type: string }) => {
      if (type === "connected") reconnects += 1;
    },
  });
  const changes = context.count(CHANGES, 1);
  const sessions: DaemonSession[] = [];
  for (let index = context.count(20, 4); index > 0; index -= 1) {
    sessions.push(await connection.createSession({ cwd: daemon.workspace }));
  }
  const took: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const loads = await Promise.all(sessions.map((session, index) => loaded(session, isShort(index))));
    const wait = String(context.isSample ? 1 : WAIT_S);
    took.push(await within(SOON_MS, daemon.change("--wait", wait)));
    judgeEnds(await within(SOON_MS, Promise.all(loads.map(({ end }) => end))), daemon.endpoint.version);
    await within(SOON_MS, Promise.all(loads.map(({ queued }) => queued)));
    assert.equal(reconnects, change + 1, "one reconnect for each change");
  }
  assert.ok(Math.min(...took) >= (context.isSample ? 1 : WAIT_S) * 1_000, "the deadline was waited for");
  const half = (changes * sessions.length) / 2;
  return (
    `${changes} changes by a deadline: ${half} turns ended by themselves, ${half} were ended and told why, ` +
    `${2 * half} queued messages ran afterwards; a change took ${round(quantile(took, 0.5))} ms`
  );
}

const isShort = (index: number): boolean => index % 2 === 0;

/** Gives a session a turn of that length, which runs, and a message behind it. */
async function loaded(session: DaemonSession, short: boolean) {
  const end = endOf(session);
  await session.send(short ? "count 5 every 50" : "count 100000 every 50");
  const { messageId } = await session.send("say after");
  return { end, queued: completed(session, messageId) };
}

function judgeEnds(ends: readonly TurnEnd[], version: string): void {
  for (const [index, { reason, message }] of ends.entries()) {
    assert.equal(reason, isShort(index) ? "completed" : "cancelled");
    if (isShort(index)) continue;
    assert.match(message, WHY);
    assert.ok(message.includes(`by version ${version},`), message);
  }
}

interface TurnEnd {
  readonly reason: string;
  readonly message: string;
}

/** The end of the next turn. */
function endOf(session: DaemonSession): Promise<TurnEnd> {
  return new Promise((resolve) => {
    const stop = session.onNotification((notification) => {
      if (notification.type !== "agent_turn_completed") return;
      stop();
      resolve({ reason: String(notification.reason), message: String(Reflect.get(notification, "message") ?? "") });
    });
  });
}
