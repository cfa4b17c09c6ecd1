import { METHODS, ProtocolEngine } from "@daemon-sdk/protocol";
import { FakeClock, type MemoryLink, memoryTransport } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { ConnectionCalls } from "../../src/connection/connection-calls.js";
import { rejection } from "../support.js";

/** A link whose far end keeps what comes, and answers when it is told to. */
class Wire {
  readonly memory: MemoryLink = memoryTransport();
  readonly engine = new ProtocolEngine(this.memory.near, { prefix: "daemon" });
  readonly got: { id: string; method: string }[] = [];

  constructor(calls: ConnectionCalls) {
    this.engine.onClose = () => calls.suspend();
    this.memory.far.onMessage = (text) => void this.got.push(JSON.parse(text));
    calls.use(this.engine);
  }

  get methods(): string[] {
    return this.got.map(({ method }) => method);
  }

  answer(index: number, result: object = {}): void {
    const head = { jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "response" };
    this.memory.far.send(JSON.stringify({ ...head, id: this.got[index]?.id, result }));
  }
}

const rename = (calls: ConnectionCalls, title: string) =>
  calls.request(METHODS.renameSession, { sessionId: "s", title });
const fork = (calls: ConnectionCalls) => calls.request(METHODS.forkSession, { sessionId: "s" });

test("calls go out on each link in the order they were made, whether they waited or were lost", async () => {
  const clock = new FakeClock();
  const calls = new ConnectionCalls(clock);
  const first = new Wire(calls);
  const early = rename(calls, "a");
  calls.open(true);
  const list = calls.request(METHODS.listOpenedSessions, {});
  await clock.settle();
  first.memory.cut();
  await clock.settle();
  const late = fork(calls);
  const second = new Wire(calls);
  await clock.settle();
  expect(second.methods).toEqual([]);
  calls.open(true);
  await clock.settle();
  expect(second.methods).toEqual(["daemon.rename_session", "daemon.list_opened_sessions", "daemon.fork_session"]);
  expect(second.got.slice(0, 2)).toEqual(first.got);
  for (const index of [2, 0, 1]) second.answer(index, { sessions: [] });
  await Promise.all([early, list, late]);
  expect(clock.pendingTimers).toBe(0);
});

test("its time counts from the beginning, over all links, and onResult is called once at most", async () => {
  const clock = new FakeClock();
  const calls = new ConnectionCalls(clock);
  const results: unknown[] = [];
  const onResult = (result: unknown) => void results.push(result);
  const error = rejection(calls.request(METHODS.listOpenedSessions, {}, { onResult }));
  await clock.advance(20_000);
  const wire = new Wire(calls);
  calls.open(true);
  await clock.advance(9_999);
  expect(wire.methods).toEqual(["daemon.list_opened_sessions"]);
  await clock.advance(1);
  expect(await error).toMatchObject({ code: "REQUEST_TIMEOUT", timeoutMs: 30_000 });
  wire.answer(0);
  await clock.settle();
  expect(results).toEqual([]);
  expect(wire.engine.counters.strayResponses).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test("a call that loses every link it is made on is given up at last", async () => {
  const clock = new FakeClock();
  const calls = new ConnectionCalls(clock);
  const error = rejection(rename(calls, "x"));
  let links = 0;
  for (; links < 20; links += 1) {
    const wire = new Wire(calls);
    calls.open(true);
    await clock.settle();
    if (wire.got.length === 0) break;
    wire.memory.cut();
    await clock.settle();
  }
  expect(await error).toMatchObject({ code: "CONNECTION_LOST" });
  expect(links).toBe(11);
});

test("a call that was lost is not made again on a daemon that cannot promise to act once", async () => {
  const clock = new FakeClock();
  const calls = new ConnectionCalls(clock);
  const ours = new Wire(calls);
  calls.open(true);
  const renaming = rejection(rename(calls, "x"));
  const reading = calls.request(METHODS.listOpenedSessions, {});
  await clock.settle();
  ours.memory.cut();
  await clock.settle();
  const plain = new Wire(calls);
  calls.open(false);
  expect(await renaming).toMatchObject({ code: "CONNECTION_LOST" });
  await clock.settle();
  expect(plain.methods).toEqual(["daemon.list_opened_sessions"]);
  plain.answer(0);
  await reading;
});

test("while a link is in doubt calls wait, and none is lost", async () => {
  const clock = new FakeClock();
  const calls = new ConnectionCalls(clock);
  const wire = new Wire(calls);
  let isTrusted = false;
  calls.beforeCall = () => isTrusted;
  calls.open(true);
  const forking = fork(calls);
  await clock.settle();
  expect(wire.methods).toEqual([]);
  isTrusted = true;
  calls.flush();
  await clock.settle();
  wire.answer(0, { newSessionId: "n" });
  expect(await forking).toEqual({ newSessionId: "n" });
});

/** Loses a call with one link after another until it is settled, or was lost so often; counts the links it went out on. */
async function loseOn(daemonOf: (link: number) => string | undefined, links: number) {
  const clock = new FakeClock();
  const calls = new ConnectionCalls(clock);
  let outcome = "waits";
  let sent = 0;
  const settled = (text: string) => () => {
    outcome = text;
  };
  const answered = rename(calls, "a").then(settled("answered"), settled("lost"));
  for (let link = 1; link <= links && outcome === "waits"; link += 1) {
    const wire = new Wire(calls);
    calls.open(true, daemonOf(link));
    await clock.settle();
    sent += wire.methods.length;
    wire.memory.cut();
    await clock.settle();
  }
  if (outcome === "waits") {
    const wire = new Wire(calls);
    calls.open(true, daemonOf(links + 1));
    await clock.settle();
    wire.answer(0);
    await answered;
  }
  return { outcome, sent };
}

test("a call goes on over many short links of one daemon, and not over as many deaths of daemons (F2)", async () => {
  expect(await loseOn(() => "one", 90)).toEqual({ outcome: "answered", sent: 90 });
  expect(await loseOn(() => "one", 200)).toEqual({ outcome: "lost", sent: 101 });
  expect(await loseOn((link) => `${link % 2}`, 200)).toEqual({ outcome: "lost", sent: 11 });
  expect(await loseOn((link) => `${Math.floor(link / 5)}`, 40)).toEqual({ outcome: "answered", sent: 40 });
  // A plain daemon does not tell whether it is the same.
  expect(await loseOn(() => undefined, 200)).toEqual({ outcome: "lost", sent: 11 });
});
