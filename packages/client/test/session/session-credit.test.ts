import { CLIENT_LIMITS } from "@daemon-sdk/protocol";
import type { FakePrompt, FakeSession } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { connectDaemon, type DroidStreamEvent } from "../../src/index.js";
import {
  collect,
  connected,
  EXTENDED_CAPABILITIES,
  execPermission,
  forever,
  opened,
  sessionOf,
  settled,
  tell,
} from "../support.js";

const WINDOW = { events: CLIENT_LIMITS.creditEvents, bytes: CLIENT_LIMITS.creditBytes };
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `${from + index}`);

const say = (prompt: FakePrompt, texts: readonly string[]): void => {
  for (const text of texts) prompt.delta(text);
};

const deltasOf = (events: readonly DroidStreamEvent[]) =>
  events.flatMap((event) => (event.type === "assistant_text_delta" ? [event.text] : []));

/** The only connection that is attached to it. */
function clientOf({ attached }: FakeSession) {
  const [client] = attached.values();
  return client ?? expect.unreachable("a connection is attached");
}

test("a session starts without credit, and a stream asks for a window right before its prompt, without waiting", async () => {
  const { daemon, connection, session } = await opened();
  expect(daemon.received.at(-1)?.params).toMatchObject({ credit: { events: 0, bytes: 0 } });
  const events = await collect(session.stream("hi"));
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success" });
  const methods = daemon.received.map(({ method }) => method).slice(-2);
  expect(methods).toEqual(["follow_session", "add_user_message"]);
  expect(daemon.received.at(-2)?.params).toMatchObject({ credit: WINDOW });
  await connection.close();
});

test("a daemon without credit is never asked for any", async () => {
  const { daemon, connection } = await connected({ capabilities: EXTENDED_CAPABILITIES, without: ["turns"] });
  const session = await connection.createSession();
  session.onNotification(() => {});
  await session.send("hi");
  daemon.received.expectNoCall("follow_session");
  expect(daemon.received.expectCall("initialize_session").params).not.toHaveProperty("credit");
  await connection.close();
});

test("a stream that is read gets far more than a window, in order, and what it read is granted back in quarters", async () => {
  const { daemon, connection, session, on } = await opened();
  const texts = numbers(WINDOW.events * 20).map((number) => `${number} 漢`);
  daemon.onPrompt((prompt) => say(prompt, texts));
  const events = await collect(session.stream("go", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(texts);
  const grants = daemon.notifications.filter(({ method }) => method === "grant_credit");
  expect(grants.length).toBeGreaterThan(70);
  expect(grants.length).toBeLessThanOrEqual(81);
  for (const { params } of grants) expect(params.events).toBeGreaterThanOrEqual(WINDOW.events / 4);
  const { events: left = Infinity, bytes = Infinity } = clientOf(on).credit ?? {};
  expect(left).toBeLessThanOrEqual(WINDOW.events);
  expect(bytes).toBeLessThanOrEqual(WINDOW.bytes);
  await connection.close();
});

test("a stream that nobody reads costs a window here, and never fails as SLOW_CONSUMER", async () => {
  const { daemon, connection, session, on } = await opened();
  const texts = numbers(WINDOW.events * 4);
  daemon.onPrompt((prompt) => say(prompt, texts));
  const stream = session.stream("go", { includePartialMessages: true, maxBufferedBytes: 1 });
  const first = await stream.next();
  await settled();
  expect(clientOf(on).waiting).toBeGreaterThanOrEqual(texts.length - WINDOW.events - 1);
  const events = [first.value as DroidStreamEvent, ...(await collect(stream))];
  expect(deltasOf(events)).toEqual(texts);
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success" });
  await connection.close();
});

test("a notice does not wait behind unread events, is delivered once, and survives the loss of those events", async () => {
  for (const isLost of [false, true]) {
    const { daemon, connection, session, on } = await opened();
    const heard: string[] = [];
    daemon.onPrompt((prompt) => {
      prompt.delta("begun");
      return forever();
    });
    const stream = session.stream("go", { includePartialMessages: true });
    await stream.next();
    session.onNotification(({ type, code }) => type === "session_notice" && heard.push(String(code)));
    tell(on, numbers(WINDOW.events * 2));
    on.notify({ type: "session_notice", code: "STORAGE_FULL", message: "full", timestamp: 1 });
    on.notify({ type: "session_notice", code: "AGENT_NOTICE", message: "the agent's", timestamp: 1 });
    await settled();
    expect(heard).toEqual(["STORAGE_FULL"]);
    if (isLost) on.journal.prune();
    on.endTurn("completed");
    const events = await collect(stream);
    const codes = events.flatMap((event) => (event.type === "session_notice" ? [event.code] : []));
    expect(codes).toEqual(isLost ? ["STORAGE_FULL"] : ["STORAGE_FULL", "AGENT_NOTICE"]);
    expect(heard).toEqual(codes);
    expect(events.some(({ type }) => type === "gap")).toBe(isLost);
    expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success" });
    await connection.close();
  }
});

test("a session that was unread for longer than the daemon keeps it is loaded, told by one gap, and nothing else on the connection hears of it", async () => {
  const { daemon, connection } = await connected({ capabilities: { ...EXTENDED_CAPABILITIES, resume: true } });
  const [unread, other] = [await connection.createSession(), await connection.createSession()];
  const [on, beside] = [sessionOf(daemon, unread.sessionId), sessionOf(daemon, other.sessionId)];
  daemon.onPrompt((prompt) => {
    prompt.delta("begun");
    return forever();
  });
  const stream = unread.stream("go", { includePartialMessages: true });
  const undisturbed = other.stream("go", { includePartialMessages: true });
  await Promise.all([stream.next(), undisturbed.next()]);
  tell(on, numbers(WINDOW.events * 2));
  await settled();
  on.journal.prune();
  const { position } = on.journal;
  const loaded = daemon.waitForRequest("load_session");
  const events: DroidStreamEvent[] = [];
  while (events.length < WINDOW.events - 1) events.push((await stream.next()).value as DroidStreamEvent);
  await loaded;
  tell(on, ["behind the gap"]);
  on.endTurn("completed");
  tell(beside, ["undisturbed"]);
  beside.endTurn("completed");
  events.push(...(await collect(stream)));
  const place = events.findIndex(({ type }) => type === "gap");
  expect(events[place]).toMatchObject({ reason: "too-old", to: position });
  expect(deltasOf(events.slice(place))).toEqual(["behind the gap"]);
  expect(events.filter(({ type }) => type === "gap")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success" });
  const heard = await collect(undisturbed);
  expect(deltasOf(heard).slice(-1)).toEqual(["undisturbed"]);
  expect(heard.map(({ type }) => type)).not.toContain("gap");
  expect(heard.at(-1)).toMatchObject({ type: "result", subtype: "success" });
  expect(daemon.received.calls("load_session")).toMatchObject([
    { params: { sessionId: on.id, inbox: true, credit: {} } },
  ]);
  await connection.close();
});

test("one event over the whole window comes as well, and does not stop what follows", async () => {
  const { daemon, connection, session } = await opened();
  const huge = "x".repeat(WINDOW.bytes * 3);
  const texts = ["a", huge, "b", huge, "c"];
  daemon.onPrompt((prompt) => say(prompt, texts));
  const events = await collect(session.stream("go", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(texts);
  await connection.close();
});

test("window full, permission asked and answered, turn ended, while the reader stands still: no deadlock, all in order, each once (credit)", async () => {
  const { daemon, connection } = await connected({ capabilities: EXTENDED_CAPABILITIES });
  const asked: string[] = [];
  const session = await connection.createSession({
    permissionHandler: ({ requestId }) => {
      asked.push(requestId);
      return "proceed_once";
    },
  });
  const before = WINDOW.events * 2;
  daemon.onPrompt(async (prompt) => {
    say(prompt, numbers(before));
    const answer = await prompt.askPermission(execPermission());
    say(prompt, numbers(10, before));
    prompt.message(answer.selectedOption);
  });
  const stream = session.stream("go", { includePartialMessages: true });
  const first = await stream.next();
  expect(await session.waitForReceipt(stream.messageId)).toMatchObject({ state: "completed", text: "proceed_once" });
  const result = { selectedOption: "proceed_once", sessionId: session.sessionId };
  expect(daemon.responses).toEqual([{ link: 1, id: asked[0], result, accepted: true }]);
  expect(clientOf(sessionOf(daemon, session.sessionId)).waiting).toBeGreaterThan(before / 2);

  const events = [first.value as DroidStreamEvent, ...(await collect(stream))];
  const told = events.filter(({ type }) => type === "assistant_text_delta" || type === "permission_resolved");
  expect(deltasOf(told)).toEqual(numbers(before + 10));
  expect(told.filter(({ type }) => type === "permission_resolved")).toHaveLength(1);
  expect(told.findIndex(({ type }) => type === "permission_resolved")).toBe(before);
  expect(events.filter(({ type }) => type === "result")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success", reason: "completed" });
  expect(asked).toHaveLength(1);
  await connection.close();
});

test("a request that was resolved before its place is reached is withdrawn at once, and never asked again", async () => {
  const { daemon, connection } = await connected({ capabilities: EXTENDED_CAPABILITIES });
  let asked = 0;
  let withdraw = () => {};
  const withdrawn = new Promise<void>((resolve) => {
    withdraw = resolve;
  });
  const session = await connection.createSession({
    permissionHandler: (_, { signal }) => {
      asked += 1;
      return new Promise(() => signal.addEventListener("abort", withdraw));
    },
  });
  daemon.onPrompt((prompt) => {
    say(prompt, numbers(WINDOW.events * 2));
    // The end of the turn resolves it.
    void prompt.askPermission(execPermission());
  });
  const stream = session.stream("go", { includePartialMessages: true });
  await stream.next();
  await withdrawn;
  await collect(stream);
  expect(session.getPendingPermissionRequests()).toEqual([]);
  expect(asked).toBe(1);
  await connection.close();
});

test("listeners consume, too; when the last one stops, no more than what was granted comes", async () => {
  const { connection, session, on } = await opened();
  const heard: unknown[] = [];
  const stop = session.onNotification(({ textDelta }) => heard.push(textDelta));
  await settled();
  tell(on, numbers(WINDOW.events * 3));
  await settled();
  expect(heard).toEqual(numbers(WINDOW.events * 3));
  stop();
  for (let index = 0; index < WINDOW.events * 3; index += 1) tell(on, ["unheard"]);
  await settled();
  expect(heard).toHaveLength(WINDOW.events * 3);
  expect(clientOf(on).waiting).toBeGreaterThanOrEqual(WINDOW.events * 2);
  await connection.close();
});

test("a stream begins from now: not with what was held back, nor with what another client's turn still says", async () => {
  const { daemon, connection, session, on } = await opened();
  await using elsewhere = await connectDaemon({ transport: daemon.dial, apiKey: "fk-test" });
  tell(on, numbers(10));
  daemon.onPrompt(async (prompt) => {
    if (prompt.text === "theirs") await daemon.waitForPrompt("mine");
    prompt.delta(prompt.text);
  });
  await (await elsewhere.resumeSession(session.sessionId)).send("theirs");
  const events = await collect(session.stream("mine", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(["mine"]);
  await connection.close();
});

test("a stream that was left does not stand in the way of the next, and its events do not reach it", async () => {
  const { daemon, connection, session } = await opened();
  daemon.onPrompt((prompt) => {
    say(prompt, numbers(WINDOW.events * 2));
    return forever();
  });
  const first = session.stream("one", { includePartialMessages: true });
  await first.next();
  await first.return();
  await daemon.waitForRequest("interrupt_session");
  daemon.onPrompt((prompt) => prompt.delta("second"));
  const events = await collect(session.stream("two", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(["second"]);
  await connection.close();
});

test("a session that only sends learns of its end without any credit", async () => {
  const { connection, session, on } = await opened();
  tell(on, numbers(10));
  on.notify({ type: "session_closed", timestamp: 1 });
  await settled();
  await expect(session.send("hi")).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  expect(clientOf(on).waiting).toBe(11);
  await connection.close();
});

test("a session closed elsewhere ends a stream only after what came before", async () => {
  const { daemon, connection, session } = await opened();
  daemon.onPrompt((prompt) => {
    say(prompt, numbers(WINDOW.events * 2));
    prompt.notify({ type: "session_closed", timestamp: 1 });
    return forever();
  });
  const stream = session.stream("go", { includePartialMessages: true });
  let deltas = 0;
  const reading = (async () => {
    for await (const event of stream) if (event.type === "assistant_text_delta") deltas += 1;
  })();
  await expect(reading).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  expect(deltas).toBe(WINDOW.events * 2);
  await connection.close();
});
