import { expect, test } from "vitest";
import { collect, connected, EXTENDED_CAPABILITIES, execPermission, hang, rejection, resultOf } from "../support.js";

const OURS = { capabilities: EXTENDED_CAPABILITIES };

test("two requests of one service that resume a session at once get two handles over one attachment", async () => {
  const { daemon, connection } = await connected(OURS);
  const { id } = daemon.addSession();
  const [one, other] = await Promise.all([connection.resumeSession(id), connection.resumeSession(id)]);
  expect(daemon.received.calls("load_session").length).toBe(1);
  expect((await resultOf(one.stream("first"))).text).toBe("You said: first");
  expect((await resultOf(other.stream("second"))).text).toBe("You said: second");
  await one.detach();
  expect(await rejection(one.send("late"))).toMatchObject({ code: "SESSION_DETACHED" });
  expect(await rejection(collect(one.stream("late")))).toMatchObject({ code: "SESSION_DETACHED" });
  expect((await resultOf(other.stream("third"))).text).toBe("You said: third");
  expect(daemon.received.calls("detach_session").length).toBe(0);
  await other.detach();
  expect(daemon.received.calls("detach_session").length).toBe(1);
  expect((await resultOf((await connection.resumeSession(id)).stream("again"))).text).toBe("You said: again");
  await connection.close();
});

test("a second stream of a busy session throws ConcurrentStreamError, of whichever handle", async () => {
  const { daemon, connection } = await connected(OURS);
  const { id } = daemon.addSession();
  daemon.onPrompt(hang());
  const [one, other] = [await connection.resumeSession(id), await connection.resumeSession(id)];
  const first = one.stream("go");
  await first.next();
  expect(await rejection(other.stream("more").next())).toMatchObject({ code: "CONCURRENT_STREAM" });
  // A handle that ends takes no stream of another one with it.
  await other.detach();
  await connection.interruptSession(id);
  expect((await resultOf(first)).subtype).toBe("interrupted");
  await connection.close();
});

test("a close ends the session for all handles: their streams throw, that of the closing one ends", async () => {
  const { daemon, connection } = await connected(OURS);
  const { id } = daemon.addSession();
  daemon.onPrompt(hang());
  const [one, other] = [await connection.resumeSession(id), await connection.resumeSession(id)];
  const stream = one.stream("go");
  await stream.next();
  const failed = rejection(collect(stream));
  await other.close();
  expect(await failed).toMatchObject({ code: "SESSION_CLOSED" });
  expect(await rejection(one.send("late"))).toMatchObject({ code: "SESSION_CLOSED" });
  await connection.close();
});

test("the newest handle's handler answers, and its request goes to the others when the handle ends", async () => {
  const { daemon, connection } = await connected(OURS);
  const { id } = daemon.addSession();
  daemon.onPrompt(async (prompt) => {
    prompt.message((await prompt.askPermission(execPermission())).selectedOption);
  });
  const asked: string[] = [];
  let onAsked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    onAsked = resolve;
  });
  const first = await connection.resumeSession(id, {
    permissionHandler: () => {
      asked.push("first");
      return "proceed_once";
    },
  });
  const second = await connection.resumeSession(id, {
    permissionHandler: (_request, { signal }) => {
      asked.push("second");
      onAsked();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  const result = resultOf(first.stream("go"));
  await isAsked;
  await second.detach();
  expect((await result).text).toBe("proceed_once");
  expect(asked).toEqual(["second", "first"]);
  await connection.close();
});

test("when the first attempt to attach fails, the one that waited for it makes its own", async () => {
  const { daemon, connection } = await connected(OURS);
  const { id } = daemon.addSession();
  const controller = new AbortController();
  const aborted = rejection(connection.resumeSession(id, { signal: controller.signal }));
  const other = connection.resumeSession(id);
  controller.abort(new RangeError("not any more"));
  expect(await aborted).toMatchObject({ message: "not any more" });
  expect((await resultOf((await other).stream("hello"))).text).toBe("You said: hello");
  await connection.close();
});

test("a session that is made twice with one id is one session with two handles", async () => {
  const { connection } = await connected({ capabilities: { ...EXTENDED_CAPABILITIES, resume: true } });
  const sessionId = "0d5c7b1e-0000-4000-8000-000000000001";
  const [one, other] = await Promise.all([
    connection.createSession({ sessionId }),
    connection.createSession({ sessionId }),
  ]);
  expect([one.sessionId, other.sessionId]).toEqual([sessionId, sessionId]);
  await connection.close();
});
