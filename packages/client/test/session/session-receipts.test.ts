import { FakeClock } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { CreditDaemon } from "../credit-daemon.js";
import { execPermission, OUR_CAPABILITIES, rejection } from "../support.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

async function opened(clock = new FakeClock()) {
  const daemon = new CreditDaemon();
  const connection = await daemon.connect({ clock });
  const session = await connection.createSession();
  return { daemon, connection, session, clock };
}

const receipt = (messageId: string, state: string, text?: string) => ({
  receipts: [{ messageId, state, ...(text === undefined ? {} : { text }) }],
});

test("what was sent is answered by its final receipt: asked for once, and again when its turn has ended", async () => {
  const { daemon, connection, session } = await opened();
  const { messageId } = await session.send("count");
  daemon.answer = () => receipt(messageId, "running");
  const waiting = session.waitForReceipt(messageId);
  await settled();
  daemon.session.end("another turn");
  await settled();
  expect(daemon.count("get_receipts")).toBe(1);
  daemon.answer = () => receipt(messageId, "completed", "done");
  daemon.session.end(messageId);
  expect(await waiting).toEqual({ messageId, state: "completed", text: "done" });
  expect(daemon.count("get_receipts")).toBe(2);
  await connection.close();
});

test("a turn that ends while the daemon is being asked is not missed", async () => {
  const { daemon, connection, session } = await opened();
  const { messageId } = await session.send("count");
  daemon.answer = () => {
    daemon.answer = () => receipt(messageId, "failed");
    daemon.session.end(messageId, "error");
    return receipt(messageId, "running");
  };
  expect(await session.waitForReceipt(messageId)).toMatchObject({ state: "failed" });
  await connection.close();
});

test.each(["unknown", "completed", "interrupted", "failed", "agent_exited", "outcome_unknown"])(
  "a message that is %s already is told at once",
  async (state) => {
    const { daemon, connection, session } = await opened();
    daemon.answer = () => receipt("m-1", state);
    expect(await session.waitForReceipt("m-1")).toMatchObject({ state });
    await connection.close();
  },
);

test("the wait ends with its signal, with the handle and with the connection", async () => {
  const { daemon, connection, session } = await opened();
  daemon.answer = () => receipt("m-1", "running");
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
  const daemon = new CreditDaemon(OUR_CAPABILITIES);
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  const sent = daemon.received.length;
  const missing = { code: "METHOD_NOT_FOUND", message: expect.stringMatching(/does not offer `re(ceipts|quests)`/) };
  expect(await rejection(session.getReceipt("m"))).toMatchObject(missing);
  expect(await rejection(session.waitForReceipt("m"))).toMatchObject(missing);
  expect(await rejection(connection.getReceipts("s", ["m"]))).toMatchObject(missing);
  expect(await rejection(connection.listRequests())).toMatchObject(missing);
  expect(await rejection(connection.answerRequest("r", "cancel"))).toMatchObject(missing);
  expect(daemon.received).toHaveLength(sent);
});

test("the inbox lists what waits, and is answered in the words of a handler", async () => {
  const { daemon, connection } = await opened();
  const requests = [{ requestId: "r-1", sessionId: "s-9", createdAt: 1, method: "request_permission", params: {} }];
  daemon.answer = (method) => (method === "list_requests" ? { requests } : {});
  expect(await connection.listRequests({ sessionId: "s-9" })).toEqual(requests);
  await connection.answerRequest("r-1", "proceed_once");
  await connection.answerRequest("r-2", { selectedOption: "proceed_once", comment: "fine" });
  await connection.answerRequest("r-3", { cancelled: true });
  await connection.answerRequest("r-4", { answers: [{ index: 1, question: "Which?", answer: "red" }] });
  const results = daemon.received.flatMap(({ method, params }) => (method === "answer_request" ? [params.result] : []));
  expect(results).toEqual([
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
  daemon.answer = () => {
    throw { code: -32603, message: "resolved", data: { code: "REQUEST_NOT_PENDING", outcome: "proceed_once" } };
  };
  expect(await rejection(connection.answerRequest("r-1", "cancel"))).toMatchObject({
    code: "REQUEST_NOT_PENDING",
    data: { outcome: "proceed_once" },
  });
  await connection.close();
});

test("the activity follows working states, requests, silence and the end, and each change is told once", async () => {
  const { daemon, connection, session, clock } = await opened();
  const seen: string[] = [];
  expect(session.activity).toBe("idle");
  const stop = session.onActivity((activity) => seen.push(activity));
  const on = daemon.session;
  const { messageId } = await session.send("go");
  on.tell({ type: "droid_working_state_changed", newState: "executing_tool" });
  on.ask("r-1", execPermission());
  await settled();
  expect(session.activity).toBe("waiting-you");
  on.tell({ type: "permission_resolved", requestId: "r-1", toolUseIds: [], selectedOption: "cancel" });
  on.tell({ type: "droid_working_state_changed", newState: "thinking" });
  await settled();
  await clock.advance(60_000);
  expect(session.activity).toBe("stalled");
  on.delta("still here");
  await settled();
  on.end(messageId);
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
  const { daemon, connection, session, clock } = await opened();
  const stop = session.onNotification(() => {});
  await session.send("go");
  await settled();
  await clock.advance(59_000);
  daemon.session.delta("still here");
  await settled();
  await clock.advance(59_000);
  expect(session.activity).toBe("waiting-model");
  await clock.advance(1_000);
  expect(session.activity).toBe("stalled");
  stop();
  await connection.close();
});

test("what an activity listener throws goes to onError, and costs the stream nothing", async () => {
  const daemon = new CreditDaemon();
  const errors: Error[] = [];
  await using connection = await daemon.connect({ onError: (error) => errors.push(error) });
  const session = await connection.createSession();
  session.onActivity(() => {
    throw new RangeError("listener bug");
  });
  daemon.onPrompt = (on, messageId) => {
    on.tell({ type: "droid_working_state_changed", newState: "thinking" });
    on.end(messageId);
  };
  const types: string[] = [];
  for await (const { type } of session.stream("go", { includePartialMessages: true })) types.push(type);
  expect(types).toEqual(["working_state_changed", "result"]);
  expect(errors.length).toBeGreaterThan(0);
});

test("a session that only sends is at work until its turn ends, and its silence is not taken for a stall", async () => {
  const { daemon, connection, session, clock } = await opened();
  const { messageId } = await session.send("go");
  expect(session.activity).toBe("waiting-model");
  await clock.advance(600_000);
  expect(session.activity).toBe("waiting-model");
  daemon.session.end(messageId);
  await settled();
  expect(session.activity).toBe("idle");
  await connection.close();
});

test("a stream that hears nothing for its idle time throws a TimeoutError, after what came, and the turn is interrupted", async () => {
  const { daemon, connection, session, clock } = await opened();
  daemon.onPrompt = (on) => on.delta("one");
  const stream = session.stream("go", { includePartialMessages: true, idleTimeoutMs: 1_000 });
  expect((await stream.next()).value).toMatchObject({ text: "one" });
  const next = rejection(stream.next());
  await clock.advance(900);
  daemon.session.tell({ type: "tool_execution_heartbeat", toolUseId: "t", toolName: "x" });
  await settled();
  await clock.advance(900);
  expect(daemon.count("interrupt_session")).toBe(0);
  await clock.advance(400);
  expect(await next).toMatchObject({ name: "TimeoutError", code: "REQUEST_TIMEOUT", timeoutMs: 1_000 });
  expect(daemon.count("interrupt_session")).toBe(1);
  expect(await stream.next()).toEqual({ value: undefined, done: true });
  await connection.close();
});

test("time in which a person is asked, or the reader does not read, is not idle", async () => {
  const { daemon, connection, session, clock } = await opened();
  daemon.onPrompt = (on) => on.ask("r-1", execPermission());
  const stream = session.stream("go", { includePartialMessages: true, idleTimeoutMs: 1_000 });
  const first = stream.next();
  await settled();
  await clock.advance(60_000);
  const on = daemon.session;
  on.tell({ type: "permission_resolved", requestId: "r-1", toolUseIds: [], selectedOption: "cancel" });
  on.delta("unread");
  expect((await first).value).toMatchObject({ type: "permission_resolved" });
  await settled();
  await clock.advance(60_000);
  expect((await stream.next()).value).toMatchObject({ text: "unread" });
  expect(daemon.count("interrupt_session")).toBe(0);
  await stream.return();
  await connection.close();
});

test("a stream is given up when its time is over, however much it says", async () => {
  const { daemon, connection, session, clock } = await opened();
  const stream = session.stream("go", { includePartialMessages: true, timeoutMs: 1_000, idleTimeoutMs: 500 });
  const reading = rejection(
    (async () => {
      for await (const _ of stream);
    })(),
  );
  for (let step = 0; step < 10; step += 1) {
    await settled();
    daemon.session.delta("x");
    await clock.advance(100);
  }
  expect(await reading).toMatchObject({ code: "REQUEST_TIMEOUT", timeoutMs: 1_000 });
  await connection.close();
  expect(clock.pendingTimers).toBe(0);
});
