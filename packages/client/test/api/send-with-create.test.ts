import { FakeDaemon, NO_REPLY } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { type AskUserHandler, connectDaemon, type DaemonConnection, NO_ANSWER } from "../../src/index.js";
import { hang, rejection, resultOf } from "../support.js";

/** A fake daemon that offers everything ours does, and a connection to it. */
async function ours(daemon = new FakeDaemon()) {
  return { daemon, connection: await connectDaemon({ transport: daemon.dial, apiKey: "fk-test" }) };
}

test("one call makes the session and sends, and the same call again acts once", async () => {
  const { daemon, connection } = await ours();
  const create = { cwd: "/srv", tags: [{ name: "thread" }] };
  const call = () => connection.send("thread:1", "hello", { messageId: "m-1", create });
  expect(await call()).toEqual({ messageId: "m-1" });
  expect(await connection.waitForReceipt("thread:1", "m-1")).toMatchObject({ state: "completed" });
  await call();
  expect(daemon.received.calls("initialize_session")).toHaveLength(1);
  expect(daemon.received.calls("initialize_session")[0]?.params).toMatchObject({ sessionId: "thread:1", cwd: "/srv" });
  expect(daemon.sessions.get("thread:1")?.messages.filter(({ role }) => role === "user")).toHaveLength(1);
  // No handle is kept: nothing of the session comes to this connection.
  expect(daemon.received.calls("detach_session")).toHaveLength(1);
  await connection.close();
});

test("calls for a session that does not exist yet keep their order, and so does an interrupt behind them", async () => {
  const { daemon, connection } = await ours();
  daemon.onPrompt(hang());
  const texts = ["one", "two", "three"];
  const sent = texts.map((text) => connection.send("thread:2", text, { messageId: text, create: { cwd: "/srv" } }));
  const interrupted = connection.interruptSession("thread:2", { messageId: "two" });
  await Promise.all([...sent, interrupted]);
  const methods = daemon.received.filter(({ method }) => /add_user_message|interrupt_session/.test(method));
  expect(methods.map(({ params }) => params.text ?? params.messageId).slice(-4)).toEqual([...texts, "two"]);
  expect(await connection.waitForReceipt("thread:2", "two")).toMatchObject({ state: "interrupted" });
  const [first] = await connection.getReceipts("thread:2", ["one"]);
  expect(first?.state).not.toBe("interrupted");
  await connection.close();
});

test("an abort ends a call at once, also one that waits behind another or for the session to be made", async () => {
  const { daemon, connection } = await ours();
  daemon.answer("initialize_session", () => NO_REPLY);
  const ends = [new AbortController(), new AbortController()];
  const sent = ends.map(({ signal }) => rejection(connection.send("thread:6", "hello", { create: {}, signal })));
  await daemon.waitForRequest("initialize_session");
  const reason = new Error("no longer wanted");
  for (const end of ends.reverse()) end.abort(reason);
  expect(await Promise.all(sent)).toEqual([reason, reason]);
  await connection.close();
});

test("on a daemon that needs the session loaded, an interrupt names its message, too", async () => {
  const { daemon, connection } = await ours(new FakeDaemon({ without: ["directInterrupt"] }));
  daemon.onPrompt(hang());
  const on = daemon.addSession();
  for (const messageId of ["one", "two"]) await connection.send(on.id, messageId, { messageId });
  await connection.interruptSession(on.id, { messageId: "two" });
  expect(await connection.waitForReceipt(on.id, "two")).toMatchObject({ state: "interrupted" });
  expect((await connection.getReceipts(on.id, ["one"]))[0]?.state).not.toBe("interrupted");
  await connection.close();
});

test("a session that was closed is opened again; without `create` both are refused", async () => {
  const { connection } = await ours();
  expect(await rejection(connection.send("thread:3", "hello"))).toMatchObject({ code: "SESSION_NOT_FOUND" });
  await connection.send("thread:3", "hello", { messageId: "m-1", create: {} });
  await connection.waitForReceipt("thread:3", "m-1");
  await connection.closeSession("thread:3");
  expect(await rejection(connection.send("thread:3", "more"))).toMatchObject({ code: "SESSION_CLOSED" });
  await connection.send("thread:3", "more", { messageId: "m-2", create: {} });
  expect(await connection.waitForReceipt("thread:3", "m-2")).toMatchObject({ text: "You said: more" });
  const wrong = { create: { autonomyLevel: "all" } } as never;
  expect(await rejection(connection.send("thread:3", "hi", wrong))).toMatchObject({ code: "INVALID_OPTION" });
  await connection.close();
});

test('with `onDispose: "detach"` the end of a block keeps the session running', async () => {
  const { daemon, connection } = await ours();
  const on = daemon.addSession();
  {
    await using session = await connection.resumeSession(on.id, { onDispose: "detach" });
    expect((await resultOf(session.stream("hello"))).text).toBe("You said: hello");
  }
  expect(on.isOpen).toBe(true);
  {
    await using session = await connection.resumeSession(on.id);
    expect(session.sessionId).toBe(on.id);
  }
  expect(on.isOpen).toBe(false);
  const wrong = { onDispose: "leave" } as never;
  expect(await rejection(connection.resumeSession(on.id, wrong))).toMatchObject({ code: "INVALID_OPTION" });
  await connection.close();
});

test("a request that an earlier program may have shown comes to a handler under its id as a repeat", async () => {
  const { daemon, connection } = await ours();
  const on = daemon.addSession();
  daemon.onPrompt(async (prompt) => {
    await prompt.askUser({ questions: [{ index: 0, topic: "", question: "Go on?", options: ["yes"] }] });
  });
  const asked: { requestId: string; isRepeat: boolean }[] = [];
  const shown = (by: DaemonConnection) =>
    new Promise<void>((resolve) => {
      const askUserHandler: AskUserHandler = ({ requestId }, { isRepeat }) => {
        asked.push({ requestId, isRepeat });
        resolve();
        return NO_ANSWER;
      };
      void by.resumeSession(on.id, { askUserHandler });
    });
  const first = shown(connection);
  await connection.send(on.id, "go");
  await first;
  await connection.close();
  const later = await ours(daemon);
  await shown(later.connection);
  expect(asked.map(({ isRepeat }) => isRepeat)).toEqual([false, true]);
  expect(asked[0]?.requestId).toBe(asked[1]?.requestId);
  await later.connection.close();
});
