import type { Position } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { ALL_CAPABILITIES, FakeClock, FakeDaemon, type FakePrompt } from "../../../src/index.js";
import { type Frame, RawClient } from "../../raw-client.js";
import { entriesOf, permission, placeOf, seqsOf } from "./entries.js";

/** Waits for whatever ends the turn. */
const forEver = (prompt: FakePrompt) =>
  new Promise<void>((resolve) => prompt.signal.addEventListener("abort", () => resolve(), { once: true }));

test("everything is offered by default, what is taken away is unknown, and a plain daemon offers nothing", async () => {
  const offers = async (daemon: FakeDaemon) => {
    const client = await RawClient.open(daemon);
    return (await client.call("authenticate", { apiKey: "k", caller: "test" })).result?.capabilities;
  };
  expect(await offers(new FakeDaemon())).toEqual(ALL_CAPABILITIES);
  expect(await offers(new FakeDaemon({ plain: true }))).toBeUndefined();
  expect(await offers(new FakeDaemon({ capabilities: { ping: true } }))).toEqual({ ping: true });
  const { ping: _, tickets: __, ...rest } = ALL_CAPABILITIES;
  expect(await offers(new FakeDaemon({ without: ["ping", "tickets"] }))).toEqual(rest);
  const client = await RawClient.connect(new FakeDaemon({ without: ["ping"] }));
  expect((await client.call("ping")).error?.code).toBe(-32_601);
  expect((await client.call("create_ticket")).result).toHaveProperty("ticket");
});

test("a daemon that was started again is another instance; a plain one does not tell", async () => {
  const instanceOf = async (daemon: FakeDaemon) => {
    const client = await RawClient.open(daemon);
    return (await client.call("authenticate", { apiKey: "k", caller: "test" })).result?.instanceId;
  };
  const daemon = new FakeDaemon();
  const first = await instanceOf(daemon);
  expect(first).toEqual(expect.any(String));
  expect(await instanceOf(daemon)).toBe(first);
  daemon.restart();
  expect(await instanceOf(daemon)).not.toBe(first);
  expect(await instanceOf(new FakeDaemon({ plain: true }))).toBeUndefined();
});

test("a client that resumes gets each entry after its position once, in order, then what happens", async () => {
  const daemon = new FakeDaemon();
  const first = await RawClient.connect(daemon);
  const sessionId = await first.create();
  await first.call("add_user_message", { sessionId, text: "one" });
  await first.waitForIdle();
  const seen = entriesOf(first);
  daemon.cut();
  daemon.sessions.get(sessionId)?.notify({ type: "of_meanwhile" });
  for (const [index, entry] of seen.entries()) {
    const again = await RawClient.connect(daemon);
    const { result } = await again.call("resume_session", { sessionId, after: placeOf(entry) });
    expect(result).toMatchObject({ workingState: "idle", isAgentLoopInProgress: false, pendingPermissions: [] });
    await again.waitForNotification("of_meanwhile");
    expect(seqsOf(again.frames)).toEqual(
      seqsOf(seen)
        .slice(index + 1)
        .concat((placeOf(seen.at(-1) as Frame)?.seq ?? 0) + 1),
    );
    expect(result?.position).toEqual({ epoch: 1, seq: seen.length + 1 });
  }
});

test("a position that the journal does not have, or no longer reaches back to, is too old", async () => {
  const daemon = new FakeDaemon({ keep: 5 });
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create();
  const resume = async (after: Position) => (await client.call("resume_session", { sessionId, after })).error;
  expect(await resume({ epoch: 1, seq: 0 })).toBeUndefined();
  await client.call("add_user_message", { sessionId, text: "one" });
  await client.waitForIdle();
  expect(await resume({ epoch: 1, seq: 10 })).toBeUndefined();
  expect(await resume({ epoch: 1, seq: 5 })).toBeUndefined();
  for (const after of [
    { epoch: 1, seq: 4 },
    { epoch: 1, seq: 0 },
    { epoch: 1, seq: 11 },
    { epoch: 2, seq: 10 },
  ]) {
    expect(await resume(after)).toMatchObject({ code: -32_603, data: { code: "RESUME_TOO_OLD" } });
  }
  daemon.sessions.get(sessionId)?.journal.prune();
  expect(await resume({ epoch: 1, seq: 9 })).toMatchObject({ data: { code: "RESUME_TOO_OLD" } });
  expect(await resume({ epoch: 1, seq: 10 })).toBeUndefined();
  expect((await client.call("resume_session", { sessionId, after: { seq: 1 } })).error?.code).toBe(-32_602);
});

test("snapshot plus stream is the whole: the first entry is the one after the snapshot's position", async () => {
  const daemon = new FakeDaemon();
  const session = daemon.addSession({ id: "s" });
  const client = await RawClient.connect(daemon);
  for (let round = 0; round < 3; round++) {
    session.notify({ type: "before" });
    const { result } = await client.call("load_session", { sessionId: "s", token: "t" });
    client.frames.length = 0;
    session.notify({ type: "after" });
    const entry = await client.waitForNotification("after");
    const { seq } = (result?.position ?? {}) as Position;
    expect(placeOf(entry)?.seq).toBe(seq + 1);
  }
});

test("a connection whose place in a journal is gone is detached from that session, told so, and keeps the others", async () => {
  const daemon = new FakeDaemon();
  const [gone, other] = [daemon.addSession({ id: "gone" }), daemon.addSession({ id: "other" })];
  const client = await RawClient.connect(daemon);
  const credit = { events: 1, bytes: 10_000 };
  for (const sessionId of ["gone", "other"]) await client.call("load_session", { sessionId, token: "t", credit });
  for (const session of [gone, other]) for (const type of ["one", "two", "three"]) session.notify({ type });
  gone.journal.prune();
  for (const sessionId of ["gone", "other"]) {
    const params = { sessionId, events: 9, bytes: 10_000 };
    client.send({ type: "notification", method: "daemon.grant_credit", params });
  }
  const told = await client.waitForNotification("session_unsubscribed");
  expect(told.params).toMatchObject({ sessionId: "gone", notification: { code: "RESUME_TOO_OLD" } });
  gone.notify({ type: "unheard" });
  other.notify({ type: "heard" });
  await client.waitForNotification("heard");
  const heardOf = (id: string) => client.frames.filter(({ params }) => params?.sessionId === id);
  expect([heardOf("gone").length, heardOf("other").length]).toEqual([2, 4]);
});

test("receipts tell of each message what became of it, in the order they were asked for", async () => {
  const clock = new FakeClock({ startAt: 1_000 });
  const daemon = new FakeDaemon({ clock });
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create();
  const send = (text: string) => client.call("add_user_message", { sessionId, text, messageId: text });
  const statesOf = async (...messageIds: string[]) => {
    const { result } = await client.call("get_receipts", { sessionId, messageIds });
    const receipts = (result?.receipts ?? []) as { state: string }[];
    return receipts.map(({ state }) => state);
  };
  await send("done");
  await client.waitForIdle();
  daemon.onPrompt(async (prompt) => {
    if (prompt.text === "broken") throw new TypeError("it broke");
    await forEver(prompt);
  });
  for (const text of ["hanging", "queued"]) await send(text);
  expect(await statesOf("queued", "hanging", "done", "never")).toEqual(["accepted", "running", "completed", "unknown"]);
  await client.call("interrupt_session", { sessionId });
  expect(await statesOf("queued")).toEqual(["interrupted"]);
  for (const text of ["broken", "last"]) await send(text);
  await client.waitForIdle(3);
  expect(await statesOf("hanging", "broken", "last")).toEqual(["interrupted", "failed", "running"]);
  daemon.restart();
  const after = await RawClient.connect(daemon);
  const { result } = await after.call("get_receipts", { sessionId, messageIds: ["last", "done"] });
  expect(result?.receipts).toEqual([
    {
      messageId: "last",
      state: "outcome_unknown",
      reason: "daemon_restarted",
      acceptedAt: 1_000,
      endedAt: 1_000,
      firstSeq: expect.any(Number),
      lastSeq: expect.any(Number),
    },
    {
      messageId: "done",
      state: "completed",
      reason: "completed",
      acceptedAt: 1_000,
      endedAt: 1_000,
      text: "You said: done",
      firstSeq: 1,
      lastSeq: expect.any(Number),
    },
  ]);
  const many = Array.from({ length: 101 }, (_, index) => String(index));
  expect((await after.call("get_receipts", { sessionId, messageIds: many })).error?.code).toBe(-32_602);
});

test("requests of all sessions are listed oldest first, and answered from anywhere, once", async () => {
  const clock = new FakeClock({ startAt: 0 });
  const daemon = new FakeDaemon({ clock });
  const [one, two] = [daemon.addSession({ id: "s-1" }), daemon.addSession({ id: "s-2" })];
  const answers = two.askUser({ questions: [{ index: 1, topic: "T", question: "Which?", options: ["a"] }] });
  await clock.advance(5);
  const allowed = one.askPermission(permission);
  const client = await RawClient.connect(daemon, "key-1");
  const listed = (await client.call("list_requests")).result?.requests as Record<string, unknown>[];
  expect(listed).toMatchObject([
    { sessionId: "s-2", method: "ask_user", createdAt: 0, params: { sessionId: "s-2" } },
    { sessionId: "s-1", method: "request_permission", createdAt: 5, params: { sessionId: "s-1" } },
  ]);
  const answer = (requestId: unknown, result: object, from = client) =>
    from.call("answer_request", { requestId, result });
  expect((await answer(listed[1]?.requestId, { selectedOption: "not offered" })).error?.code).toBe(-32_602);
  expect((await answer(listed[0]?.requestId, { answers: ["bare"] })).error?.code).toBe(-32_602);
  const yes = { selectedOption: "proceed_once" };
  expect((await answer(listed[1]?.requestId, yes)).result).toEqual({});
  expect((await answer(listed[1]?.requestId, yes)).result).toEqual({});
  const late = await answer(listed[1]?.requestId, yes, await RawClient.connect(daemon, "key-2"));
  expect(late.error).toMatchObject({ code: -32_603, data: { code: "REQUEST_NOT_PENDING", outcome: yes } });
  expect((await answer("never", yes)).error).toMatchObject({ data: { code: "REQUEST_NOT_PENDING" } });
  await answer(listed[0]?.requestId, { answers: [{ index: 1, question: "Which?", answer: "a" }] });
  expect([await allowed, (await answers).answers[0]?.answer]).toEqual([yes, "a"]);
  expect((await client.call("list_requests", { sessionId: "s-1" })).result).toEqual({ requests: [] });
});

test("a plain client that was asked and leaves hands the question to the next plain one", async () => {
  const daemon = new FakeDaemon();
  const session = daemon.addSession({ id: "s" });
  const [first, second] = [await RawClient.connect(daemon), await RawClient.connect(daemon)];
  for (const client of [second, first]) await client.call("load_session", { sessionId: "s", token: "t" });
  const answer = session.askPermission(permission);
  await first.waitFor(({ type }) => type === "request");
  expect(second.story).toEqual([]);
  first.transport.close();
  const asked = await second.waitFor(({ type }) => type === "request");
  second.respond(asked.id, { selectedOption: "proceed_once" });
  expect(await answer).toEqual({ selectedOption: "proceed_once" });
});

test("a ticket lets one connection in, once, until it is too old", async () => {
  const clock = new FakeClock();
  const daemon = new FakeDaemon({ credential: "secret", clock });
  const client = await RawClient.connect(daemon, "secret");
  const make = async () => String((await client.call("create_ticket")).result?.ticket);
  const enter = async (ticket: string) => {
    const page = await RawClient.open(daemon);
    return (await page.call("authenticate", { ticket, caller: "page" })).error?.code;
  };
  const [used, old] = [await make(), await make()];
  expect([await enter(used), await enter(used), await enter("guess")]).toEqual([undefined, -32_001, -32_001]);
  await clock.advance(60_000);
  expect(await enter(old)).toBe(-32_001);
});

test("the third refused credential closes the connection with 4401", async () => {
  const daemon = new FakeDaemon({ credential: "right" });
  const client = await RawClient.open(daemon);
  const closed = new Promise((resolve) => {
    client.transport.onClose = resolve;
  });
  for (const params of [{ apiKey: "no", caller: "t" }, { caller: "t" }, { apiKey: "no", caller: "t" }]) {
    await client.call("authenticate", params);
  }
  expect(await closed).toMatchObject({ code: 4401 });
});

test("a restart drops connections, ends what ran, closes what was asked, and begins what waited", async () => {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create({ inbox: true });
  daemon.onPrompt(async (prompt) => {
    if (prompt.text === "ask") await prompt.askPermission(permission);
    else prompt.message("begun");
  });
  await client.call("add_user_message", { sessionId, text: "ask", messageId: "m-1" });
  await client.call("add_user_message", { sessionId, text: "wait", messageId: "m-2" });
  const asked = await client.waitFor(({ type }) => type === "request");
  const lost = new Promise((resolve) => {
    client.transport.onClose = resolve;
  });
  daemon.restart();
  expect(await lost).toMatchObject({ clean: false });
  const again = await RawClient.connect(daemon);
  await again.call("resume_session", { sessionId, after: placeOf(asked) });
  await again.waitForIdle(2);
  expect(again.story).toEqual([
    "permission_resolved",
    "agent_turn_completed",
    "state:idle",
    "state:streaming_assistant_message",
    "create_message",
    "create_message",
    "session_token_usage_changed",
    "agent_turn_completed",
    "state:idle",
  ]);
  const ends = again.frames.flatMap(({ params }) =>
    params?.notification?.type === "agent_turn_completed" ? [params.notification] : [],
  );
  expect(ends).toMatchObject([
    { turnId: "m-1", reason: "daemon_restarted" },
    { turnId: "m-2", reason: "completed" },
  ]);
  expect(entriesOf(again).map((frame) => placeOf(frame)?.epoch)).toEqual(Array(9).fill(2));
});

test("closing a session ends every message that was accepted, also those that had not begun", async () => {
  const daemon = new FakeDaemon();
  const [client, other] = [await RawClient.connect(daemon), await RawClient.connect(daemon)];
  const sessionId = await client.create();
  await other.call("load_session", { sessionId, token: "t" });
  daemon.onPrompt(forEver);
  for (const text of ["a", "b", "c"]) await client.call("add_user_message", { sessionId, text, messageId: text });
  await client.call("close_session", { sessionId });
  await other.waitForNotification("session_closed");
  const ends = other.frames.flatMap(({ params }) => params?.notification?.turnId ?? []);
  expect(ends).toEqual(["a", "b", "c"]);
});

test("an agent that is not offered is refused with the names of those that are", async () => {
  const client = await RawClient.connect(new FakeDaemon({ capabilities: { ...ALL_CAPABILITIES, agents: ["a", "b"] } }));
  const params = { token: "t", machineId: "default", cwd: "/" };
  const refused = await client.call("initialize_session", { ...params, agent: "c" });
  expect(refused.error).toMatchObject({ code: -32_602, message: expect.stringContaining("a, b") });
  expect((await client.call("initialize_session", { ...params, agent: "b" })).result).toHaveProperty("sessionId");
});
