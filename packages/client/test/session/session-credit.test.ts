import { CLIENT_LIMITS, type Credit } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import type { DroidStreamEvent } from "../../src/index.js";
import { CreditDaemon, type CreditSession } from "../credit-daemon.js";
import { collect, execPermission, OUR_CAPABILITIES } from "../support.js";

const WINDOW = { events: CLIENT_LIMITS.creditEvents, bytes: CLIENT_LIMITS.creditBytes };

/** Lets everything that is on its way in memory arrive. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const deltasOf = (events: readonly DroidStreamEvent[]) =>
  events.flatMap((event) => (event.type === "assistant_text_delta" ? [event.text] : []));

test("a session starts without credit, and a stream asks for a window right before its prompt, without waiting", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  expect(daemon.received.at(-1)?.params).toMatchObject({ credit: { events: 0, bytes: 0 } });
  daemon.onPrompt = (on, messageId) => on.end(messageId);
  const events = await collect(session.stream("hi"));
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success" });
  const methods = daemon.received.map(({ method }) => method).slice(-2);
  expect(methods).toEqual(["follow_session", "add_user_message"]);
  expect(daemon.received.at(-2)?.params).toMatchObject({ credit: WINDOW });
});

test("a daemon without credit is never asked for any", async () => {
  const daemon = new CreditDaemon({ ...OUR_CAPABILITIES, credit: true, turns: undefined as never });
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  session.onNotification(() => {});
  await session.send("hi");
  expect(daemon.received.map(({ method }) => method)).not.toContain("follow_session");
  expect(daemon.received.find(({ method }) => method === "initialize_session")?.params).not.toHaveProperty("credit");
});

test("a stream that is read gets far more than a window, in order, and what it read is granted back in quarters", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  const count = WINDOW.events * 20;
  daemon.onPrompt = (on, messageId) => {
    for (let index = 0; index < count; index += 1) on.delta(`${index} 漢`);
    on.end(messageId);
  };
  const events = await collect(session.stream("go", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(Array.from({ length: count }, (_, index) => `${index} 漢`));
  const { grants, credit } = daemon.session;
  expect(grants.length).toBeLessThanOrEqual(81);
  for (const { events } of grants) expect(events).toBeGreaterThanOrEqual(WINDOW.events / 4);
  expect(credit.events).toBeLessThanOrEqual(WINDOW.events);
  expect(credit.bytes).toBeLessThanOrEqual(WINDOW.bytes);
});

test("a stream that nobody reads costs a window here, and never fails as SLOW_CONSUMER", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  const count = WINDOW.events * 4;
  daemon.onPrompt = (on, messageId) => {
    for (let index = 0; index < count; index += 1) on.delta(`${index}`);
    on.end(messageId);
  };
  const stream = session.stream("go", { includePartialMessages: true, maxBufferedBytes: 1 });
  const first = await stream.next();
  await settled();
  expect(daemon.session.heldBack).toBeGreaterThanOrEqual(count - WINDOW.events - 1);
  const events = [first.value as DroidStreamEvent, ...(await collect(stream))];
  expect(deltasOf(events)).toEqual(Array.from({ length: count }, (_, index) => `${index}`));
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success" });
});

test("a session that was unread for longer than the daemon keeps it is loaded, told by one gap, and nothing else on the connection hears of it", async () => {
  const daemon = new CreditDaemon({ ...OUR_CAPABILITIES, credit: true, receipts: true, resume: true });
  await using connection = await daemon.connect();
  const [unread, other] = [await connection.createSession(), await connection.createSession()];
  const [on, beside] = daemon.sessions as [CreditSession, CreditSession];
  daemon.onPrompt = (session) => session.delta("begun");
  const stream = unread.stream("go", { includePartialMessages: true });
  const undisturbed = other.stream("go", { includePartialMessages: true });
  await Promise.all([stream.next(), undisturbed.next()]);
  for (let index = 0; index < WINDOW.events * 2; index += 1) on.delta(`${index}`);
  await settled();
  daemon.answer = (method, params) => {
    if (method === "resume_session") throw { code: -32603, message: "too old", data: { code: "RESUME_TOO_OLD" } };
    if (method !== "load_session") return { receipts: [] };
    // What comes now lies behind the snapshot, and goes on with the credit of the load.
    queueMicrotask(() => on.start(params.credit as Credit));
    const position = { epoch: 1, seq: on.entries.length };
    return { session: { messages: [] }, settings: {}, position, isAgentLoopInProgress: true, pendingPermissions: [] };
  };
  on.forget();
  const loaded = daemon.next("load_session");
  const events: DroidStreamEvent[] = [];
  while (events.length < WINDOW.events - 1) events.push((await stream.next()).value as DroidStreamEvent);
  await loaded;
  on.delta("behind the gap");
  on.end(stream.messageId);
  beside.delta("undisturbed");
  beside.end(undisturbed.messageId);
  events.push(...(await collect(stream)));
  const place = events.findIndex(({ type }) => type === "gap");
  expect(events[place]).toMatchObject({ reason: "too-old", to: { epoch: 1, seq: WINDOW.events * 2 + 1 } });
  expect(deltasOf(events.slice(place))).toEqual(["behind the gap"]);
  expect(events.filter(({ type }) => type === "gap")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success" });
  expect((await collect(undisturbed)).map(({ type }) => type)).toEqual(["assistant_text_delta", "result"]);
  expect(daemon.received.filter(({ method }) => method === "load_session")).toMatchObject([
    { params: { sessionId: on.id, inbox: true, credit: {} } },
  ]);
});

test("one event over the whole window comes as well, and does not stop what follows", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  const huge = "x".repeat(WINDOW.bytes * 3);
  daemon.onPrompt = (on, messageId) => {
    for (const text of ["a", huge, "b", huge, "c"]) on.delta(text);
    on.end(messageId);
  };
  const events = await collect(session.stream("go", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(["a", huge, "b", huge, "c"]);
});

test("window full, permission asked and answered, turn ended, while the reader stands still: no deadlock, all in order, each once (credit)", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const asked: string[] = [];
  const session = await connection.createSession({
    permissionHandler: ({ requestId }) => {
      asked.push(requestId);
      return "proceed_once";
    },
  });
  const before = WINDOW.events * 2;
  daemon.onPrompt = (on) => {
    for (let index = 0; index < before; index += 1) on.delta(`${index}`);
    on.ask("r-1", execPermission());
  };
  const stream = session.stream("go", { includePartialMessages: true });
  const first = await stream.next();
  daemon.answer = () => ({ receipts: [{ messageId: stream.messageId, state: "running" }] });
  const result = session.waitForReceipt(stream.messageId);
  await settled();
  expect(daemon.responses).toEqual([{ id: "r-1", result: { selectedOption: "proceed_once", sessionId: "s-1" } }]);
  daemon.answer = () => ({ receipts: [{ messageId: stream.messageId, state: "completed", text: "done" }] });
  const on = daemon.session;
  on.tell({ type: "permission_resolved", requestId: "r-1", toolUseIds: ["tool-1"], selectedOption: "proceed_once" });
  for (let index = before; index < before + 10; index += 1) on.delta(`${index}`);
  on.end(stream.messageId);
  expect(await result).toMatchObject({ state: "completed", text: "done" });
  expect(on.heldBack).toBeGreaterThan(before / 2);

  const events = [first.value as DroidStreamEvent, ...(await collect(stream))];
  expect(deltasOf(events)).toEqual(Array.from({ length: before + 10 }, (_, index) => `${index}`));
  expect(events.filter(({ type }) => type === "permission_resolved")).toHaveLength(1);
  expect(events.findIndex(({ type }) => type === "permission_resolved")).toBe(before);
  expect(events.filter(({ type }) => type === "result")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success", reason: "completed" });
  expect(asked).toEqual(["r-1"]);
});

test("a request that was resolved before its place is reached is withdrawn at once, and never asked again", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  let asked = 0;
  const withdrawn = new Promise<void>((resolve) => {
    void connection
      .createSession({
        permissionHandler: (_, { signal }) => {
          asked += 1;
          return new Promise(() => signal.addEventListener("abort", () => resolve()));
        },
      })
      .then(async (session) => {
        const stream = session.stream("go", { includePartialMessages: true });
        await stream.next();
        await withdrawn;
        await collect(stream);
        expect(session.getPendingPermissionRequests()).toEqual([]);
        expect(asked).toBe(1);
        done();
      });
  });
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  daemon.onPrompt = (on, messageId) => {
    for (let index = 0; index < WINDOW.events * 2; index += 1) on.delta("x");
    on.ask("r-1", execPermission());
    on.tell({ type: "permission_resolved", requestId: "r-1", toolUseIds: [], selectedOption: "cancel" });
    on.end(messageId);
  };
  await finished;
});

test("listeners consume, too; when the last one stops, no more than what was granted comes", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  const heard: unknown[] = [];
  const stop = session.onNotification(({ textDelta }) => heard.push(textDelta));
  await settled();
  for (let index = 0; index < WINDOW.events * 3; index += 1) daemon.session.delta(`${index}`);
  await settled();
  expect(heard).toEqual(Array.from({ length: WINDOW.events * 3 }, (_, index) => `${index}`));
  stop();
  for (let index = 0; index < WINDOW.events * 3; index += 1) daemon.session.delta("unheard");
  await settled();
  expect(heard).toHaveLength(WINDOW.events * 3);
  expect(daemon.session.heldBack).toBeGreaterThanOrEqual(WINDOW.events * 2);
});

test("a stream begins from now: not with what was held back, nor with what another client's turn still says", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  const on = daemon.session;
  for (let index = 0; index < 10; index += 1) on.delta("long ago");
  on.isBusy = true;
  daemon.onPrompt = (_, messageId) => {
    on.delta("of the other turn");
    on.end("other");
    on.tell({ type: "create_message", message: { id: messageId, role: "user", content: [] } });
    on.delta("mine");
    on.end(messageId);
  };
  const events = await collect(session.stream("go", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(["mine"]);
});

test("a stream that was left does not stand in the way of the next, and its events do not reach it", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  daemon.onPrompt = (on) => {
    for (let index = 0; index < WINDOW.events * 2; index += 1) on.delta("first");
  };
  const first = session.stream("one", { includePartialMessages: true });
  await first.next();
  daemon.answer = (method) => {
    if (method === "interrupt_session") daemon.session.end(first.messageId, "cancelled");
    return {};
  };
  const interrupted = daemon.next("interrupt_session");
  await first.return();
  await interrupted;
  daemon.onPrompt = (on, messageId) => {
    on.delta("second");
    on.end(messageId);
  };
  const events = await collect(session.stream("two", { includePartialMessages: true }));
  expect(deltasOf(events)).toEqual(["second"]);
});

test("a session that only sends learns of its end without any credit", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  for (let index = 0; index < 10; index += 1) daemon.session.delta("unread");
  daemon.session.tell({ type: "session_closed", timestamp: 1 });
  await settled();
  await expect(session.send("hi")).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  expect(daemon.session.heldBack).toBe(11);
});

test("a session closed elsewhere ends a stream only after what came before", async () => {
  const daemon = new CreditDaemon();
  await using connection = await daemon.connect();
  const session = await connection.createSession();
  daemon.onPrompt = (on) => {
    for (let index = 0; index < WINDOW.events * 2; index += 1) on.delta("x");
    on.tell({ type: "session_closed", timestamp: 1 });
  };
  const stream = session.stream("go", { includePartialMessages: true });
  let deltas = 0;
  const reading = (async () => {
    for await (const event of stream) if (event.type === "assistant_text_delta") deltas += 1;
  })();
  await expect(reading).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  expect(deltas).toBe(WINDOW.events * 2);
});
