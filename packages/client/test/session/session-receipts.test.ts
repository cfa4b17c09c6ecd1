import { FakeClock, type FakeDaemon, rpcFault } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import type { DroidStreamEvent } from "../../src/index.js";
import {
  connected,
  execPermission,
  forever,
  OUR_CAPABILITIES,
  opened as openedWith,
  rejection,
  settled,
  tell,
} from "../support.js";

/** Every turn goes on until the test ends it. */
async function opened(clock = new FakeClock()) {
  const desk = await openedWith({ clock });
  desk.daemon.onPrompt(forever);
  return { ...desk, clock };
}

/** Has the daemon say what became of a message, whatever has. */
function answerReceipt(daemon: FakeDaemon, messageId: string, state: string, text?: string): void {
  const receipt = { messageId, state, ...(text === undefined ? {} : { text }) };
  daemon.answer("get_receipts", () => ({ receipts: [receipt] }));
}

const count = (daemon: FakeDaemon, method: string) => daemon.received.calls(method).length;

/** Reads a stream up to the event that is meant. */
async function readUpTo(stream: AsyncIterator<DroidStreamEvent>, isMeant: (event: DroidStreamEvent) => boolean) {
  for (;;) {
    const { value, done } = await stream.next();
    if (done) return expect.unreachable("the stream ended before");
    if (isMeant(value)) return value;
  }
}

test("what was sent is answered by its final receipt: asked for once, and again when its turn has ended", async () => {
  const { daemon, connection, session, on } = await opened();
  const { messageId } = await session.send("count");
  answerReceipt(daemon, messageId, "running");
  const waiting = session.waitForReceipt(messageId);
  await settled();
  on.notify({ type: "agent_turn_completed", reason: "completed", turnId: "another turn" });
  await settled();
  expect(count(daemon, "get_receipts")).toBe(1);
  answerReceipt(daemon, messageId, "completed", "done");
  on.endTurn("completed");
  expect(await waiting).toEqual({ messageId, state: "completed", text: "done" });
  expect(count(daemon, "get_receipts")).toBe(2);
  await connection.close();
});

test("a turn that ends while the daemon is being asked is not missed", async () => {
  const { daemon, connection, session, on } = await opened();
  const { messageId } = await session.send("count");
  daemon.answer("get_receipts", () => {
    answerReceipt(daemon, messageId, "failed");
    on.endTurn("error");
    return { receipts: [{ messageId, state: "running" }] };
  });
  expect(await session.waitForReceipt(messageId)).toMatchObject({ state: "failed" });
  await connection.close();
});

test.each(["unknown", "completed", "interrupted", "failed", "agent_exited", "outcome_unknown"])(
  "a message that is %s already is told at once",
  async (state) => {
    const { daemon, connection, session } = await opened();
    answerReceipt(daemon, "m-1", state);
    expect(await session.waitForReceipt("m-1")).toMatchObject({ state });
    await connection.close();
  },
);

test("the wait ends with its signal, with the handle and with the connection", async () => {
  const { daemon, connection, session } = await opened();
  answerReceipt(daemon, "m-1", "running");
  const controller = new AbortController();
  const aborted = rejection(session.waitForReceipt("m-1", { signal: controller.signal }));
  await settled();
  controller.abort(new RangeError("enough"));
  expect(await aborted).toMatchObject({ message: "enough" });
  const detached = rejection(session.waitForReceipt("m-1"));
  await settled();
  await session.detach();
  expect(await detached).toMatchObject({ code: "SESSION_DETACHED" });
  const other = await connection.createSession();
  const closed = rejection(other.waitForReceipt("m-1"));
  await settled();
  await connection.close();
  expect(await closed).toMatchObject({ code: "CONNECTION_CLOSED" });
});

test("receipts and the inbox are refused before anything is sent to a daemon that does not offer them", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  const sent = daemon.received.length;
  const missing = { code: "METHOD_NOT_FOUND", message: expect.stringMatching(/does not offer `re(ceipts|quests)`/) };
  expect(await rejection(session.getReceipt("m"))).toMatchObject(missing);
  expect(await rejection(session.waitForReceipt("m"))).toMatchObject(missing);
  expect(await rejection(connection.getReceipts("s", ["m"]))).toMatchObject(missing);
  expect(await rejection(connection.listRequests())).toMatchObject(missing);
  expect(await rejection(connection.answerRequest("r", "cancel"))).toMatchObject(missing);
  expect(daemon.received).toHaveLength(sent);
  await connection.close();
});

test("the inbox lists what waits, and is answered in the words of a handler", async () => {
  const { daemon, connection } = await opened();
  const requests = [{ requestId: "r-1", sessionId: "s-9", createdAt: 1, method: "request_permission", params: {} }];
  daemon.answer("list_requests", () => ({ requests }));
  daemon.answer("answer_request", () => ({}));
  expect(await connection.listRequests({ sessionId: "s-9" })).toEqual(requests);
  await connection.answerRequest("r-1", "proceed_once");
  await connection.answerRequest("r-2", { selectedOption: "proceed_once", comment: "fine" });
  await connection.answerRequest("r-3", { cancelled: true });
  await connection.answerRequest("r-4", { answers: [{ index: 1, question: "Which?", answer: "red" }] });
  expect(daemon.received.calls("answer_request").map(({ params }) => params.result)).toEqual([
    { selectedOption: "proceed_once" },
    { selectedOption: "proceed_once", comment: "fine" },
    { cancelled: true, answers: [] },
    { answers: [{ index: 1, question: "Which?", answer: "red" }] },
  ]);
  expect(await rejection(connection.answerRequest("r-5", {} as never))).toMatchObject({ code: "INVALID_OPTION" });
  await connection.close();
});

test("an answer that comes too late is refused with REQUEST_NOT_PENDING and the answer that won", async () => {
  const { daemon, connection } = await opened();
  daemon.answer("answer_request", () => {
    throw rpcFault(-32603, "resolved", { code: "REQUEST_NOT_PENDING", outcome: "proceed_once" });
  });
  expect(await rejection(connection.answerRequest("r-1", "cancel"))).toMatchObject({
    code: "REQUEST_NOT_PENDING",
    data: { outcome: "proceed_once" },
  });
  await connection.close();
});

test("the activity follows working states, requests, silence and the end, and each change is told once", async () => {
  const { connection, session, on, clock } = await opened();
  const seen: string[] = [];
  expect(session.activity).toBe("idle");
  const stop = session.onActivity((activity) => seen.push(activity));
  await session.send("go");
  on.setWorkingState("executing_tool");
  void on.askPermission(execPermission());
  await settled();
  expect(session.activity).toBe("waiting-you");
  on.closeRequests("of no interest any more");
  on.setWorkingState("thinking");
  await settled();
  await clock.advance(60_000);
  expect(session.activity).toBe("stalled");
  tell(on, ["still here"]);
  await settled();
  on.endTurn("completed");
  await settled();
  expect(seen).toEqual([
    "waiting-model",
    "waiting-tool",
    "waiting-you",
    "waiting-tool",
    "waiting-model",
    "stalled",
    "waiting-model",
    "idle",
  ]);
  stop();
  await connection.close();
  expect(seen).toHaveLength(8);
  expect(session.activity).toBe("gone");
  expect(clock.pendingTimers).toBe(0);
});

test("a text delta is a sign of life, also where neither a stream nor an activity listener reads it", async () => {
  const { connection, session, on, clock } = await opened();
  const stop = session.onNotification(() => {});
  await session.send("go");
  await settled();
  await clock.advance(59_000);
  tell(on, ["still here"]);
  await settled();
  await clock.advance(59_000);
  expect(session.activity).toBe("waiting-model");
  await clock.advance(1_000);
  expect(session.activity).toBe("stalled");
  stop();
  await connection.close();
});

test("what an activity listener throws goes to onError, and costs the stream nothing", async () => {
  const errors: Error[] = [];
  const { daemon, connection, session } = await openedWith({ onError: (error) => errors.push(error) });
  session.onActivity(() => {
    throw new RangeError("listener bug");
  });
  daemon.onPrompt(() => {});
  const types: string[] = [];
  for await (const { type } of session.stream("go", { includePartialMessages: true })) types.push(type);
  expect(types).toEqual(["working_state_changed", "user", "token_usage_update", "result"]);
  expect(errors.length).toBeGreaterThan(0);
  await connection.close();
});

test("a session that only sends is at work until its turn ends, and its silence is not taken for a stall", async () => {
  const { connection, session, on, clock } = await opened();
  await session.send("go");
  expect(session.activity).toBe("waiting-model");
  await clock.advance(600_000);
  expect(session.activity).toBe("waiting-model");
  on.endTurn("completed");
  await settled();
  expect(session.activity).toBe("idle");
  await connection.close();
});

test("a stream that hears nothing for its idle time throws a TimeoutError, after what came, and the turn is interrupted", async () => {
  const { daemon, connection, session, on, clock } = await opened();
  daemon.onPrompt((prompt) => {
    prompt.delta("one");
    return forever();
  });
  const stream = session.stream("go", { includePartialMessages: true, idleTimeoutMs: 1_000 });
  expect(await readUpTo(stream, ({ type }) => type === "assistant_text_delta")).toMatchObject({ text: "one" });
  const next = rejection(stream.next());
  await clock.advance(900);
  on.notify({ type: "tool_execution_heartbeat", toolUseId: "t", toolName: "x" });
  await settled();
  await clock.advance(900);
  expect(count(daemon, "interrupt_session")).toBe(0);
  await clock.advance(400);
  expect(await next).toMatchObject({ name: "TimeoutError", code: "REQUEST_TIMEOUT", timeoutMs: 1_000 });
  expect(count(daemon, "interrupt_session")).toBe(1);
  expect(await stream.next()).toEqual({ value: undefined, done: true });
  await connection.close();
});

test("time in which a person is asked, or the reader does not read, is not idle", async () => {
  const { daemon, connection, session, on, clock } = await opened();
  daemon.onPrompt((prompt) => {
    void prompt.askPermission(execPermission());
    return forever();
  });
  const stream = session.stream("go", { includePartialMessages: true, idleTimeoutMs: 1_000 });
  await readUpTo(stream, (event) => Reflect.get(event, "state") === "waiting_for_tool_confirmation");
  const next = stream.next();
  await settled();
  await clock.advance(60_000);
  on.closeRequests("of no interest any more");
  tell(on, ["unread"]);
  expect((await next).value).toMatchObject({ type: "permission_resolved" });
  await settled();
  await clock.advance(60_000);
  expect((await stream.next()).value).toMatchObject({ text: "unread" });
  expect(count(daemon, "interrupt_session")).toBe(0);
  await stream.return();
  await connection.close();
});

test("a stream is given up when its time is over, however much it says", async () => {
  const { connection, session, on, clock } = await opened();
  const stream = session.stream("go", { includePartialMessages: true, timeoutMs: 1_000, idleTimeoutMs: 500 });
  const reading = rejection(
    (async () => {
      for await (const _ of stream);
    })(),
  );
  for (let step = 0; step < 10; step += 1) {
    await settled();
    tell(on, ["x"]);
    await clock.advance(100);
  }
  expect(await reading).toMatchObject({ code: "REQUEST_TIMEOUT", timeoutMs: 1_000 });
  await connection.close();
  expect(clock.pendingTimers).toBe(0);
});
