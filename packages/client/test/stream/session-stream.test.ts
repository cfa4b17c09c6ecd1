import { SessionError } from "@daemon-sdk/protocol";
import { rpcFault } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { ConcurrentStreamError } from "../../src/index.js";
import { collect, connected, DAEMONS, hang, OUR_CAPABILITIES, rejection, resultOf } from "../support.js";

describe.each(DAEMONS)("against $kind", ({ options }) => {
  test("a prompt gives its events in order, each once, and the result last", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt((prompt) => {
      for (const part of ["Hel", "lo"]) prompt.delta(part);
      prompt.message();
    });
    const session = await connection.createSession();
    const events = await collect(session.stream("hi"));
    expect(events.map(({ type }) => type)).toEqual(["user", "assistant", "result"]);
    expect(events.at(-1)).toMatchObject({
      subtype: "success",
      text: "Hello",
      result: "Hello",
      success: true,
      isError: false,
      interrupted: false,
      turnCount: 1,
      numTurns: 1,
      sessionId: session.sessionId,
      messages: events.slice(0, -1),
    });
  });

  test("with includePartialMessages the deltas come as well, and join to the text", async () => {
    const { connection } = await connected(options);
    const session = await connection.createSession();
    const events = await collect(session.stream("hi", { includePartialMessages: true }));
    const deltas = events.filter((event) => event.type === "assistant_text_delta");
    expect(deltas.map(({ text }) => text).join("")).toBe("You said: hi");
    expect(events.at(-1)).toMatchObject({ type: "result", text: "You said: hi" });
    expect(events.filter(({ type }) => type === "result")).toHaveLength(1);
  });

  test("turns of one session follow each other, none sees another's events", async () => {
    const { connection } = await connected(options);
    const session = await connection.createSession();
    for (const text of ["one", "two", "three"]) {
      const events = await collect(session.stream(text));
      expect(events.map(({ type }) => type)).toEqual(["user", "assistant", "result"]);
      expect(events.at(-1)).toMatchObject({ text: `You said: ${text}` });
    }
  });

  test("the result states what its turn used, though the session's total is reported", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt((prompt) => {
      prompt.tokenUsage = { ...prompt.tokenUsage, inputTokens: 1_000, outputTokens: Number(prompt.text) };
    });
    const session = await connection.createSession();
    for (const outputTokens of [10, 20, 30]) {
      const { tokenUsage } = await resultOf(session.stream(String(outputTokens)));
      expect(tokenUsage).toMatchObject({ inputTokens: 1_000, outputTokens });
    }
  });

  test("leaving the loop interrupts the turn, and nothing of it reaches the next stream", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(hang("secret of the first"));
    const session = await connection.createSession();
    for await (const event of session.stream("first", { includePartialMessages: true })) {
      if (event.type === "assistant_text_delta") break;
    }
    daemon.onPrompt((prompt) => void prompt.message("second answer"));
    const events = await collect(session.stream("second", { includePartialMessages: true }));
    expect(JSON.stringify(events)).not.toContain("first");
    expect(events.at(-1)).toMatchObject({ type: "result", subtype: "success", text: "second answer" });
    expect(daemon.received.filter(({ method }) => method === "interrupt_session")).toHaveLength(1);
  });

  test("leaving the loop at its last event interrupts nothing", async () => {
    const { daemon, connection } = await connected(options);
    const session = await connection.createSession();
    for await (const event of session.stream("hi")) if (event.type === "result") break;
    await session.send("more");
    expect(daemon.received.map(({ method }) => method)).not.toContain("interrupt_session");
  });

  test("interrupt() lets the stream go on to a result that says so", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(hang());
    const session = await connection.createSession();
    const stream = session.stream("hi", { includePartialMessages: true });
    const events = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type === "assistant_text_delta") await session.interrupt();
    }
    expect(events.at(-1)).toMatchObject({ subtype: "interrupted", interrupted: true, success: false, text: "working" });
  });

  test("an abort interrupts the turn and throws the reason; what waited is dropped", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(hang());
    const session = await connection.createSession();
    const controller = new AbortController();
    const stream = session.stream("hi", { includePartialMessages: true, signal: controller.signal });
    await stream.next();
    controller.abort(new RangeError("enough"));
    expect(await rejection(stream.next())).toMatchObject({ message: "enough" });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    await daemon.waitForRequest("interrupt_session");
  });

  test("without reconnect a cut socket ends a running stream with CONNECTION_LOST, after what came before", async () => {
    const { daemon, connection } = await connected(options, { reconnect: false });
    daemon.onPrompt(hang());
    const session = await connection.createSession();
    const stream = session.stream("hi", { includePartialMessages: true });
    for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => stream.next() }) }) {
      if (event.type === "assistant_text_delta") break;
    }
    daemon.cut();
    expect(await rejection(collect(stream))).toMatchObject({ name: "ConnectionError", code: "CONNECTION_LOST" });
    expect(await rejection(session.send("more"))).toMatchObject({ code: "CONNECTION_LOST" });
  });

  test("closing the connection ends a running stream with CONNECTION_CLOSED", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(hang());
    const session = await connection.createSession();
    const stream = session.stream("hi");
    await stream.next();
    const ended = rejection(collect(stream));
    await connection.close();
    expect(await ended).toMatchObject({ code: "CONNECTION_CLOSED" });
  });

  test("closing the session ends a running stream without an error and without a result", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(hang());
    const session = await connection.createSession();
    const stream = session.stream("hi");
    const first = await stream.next();
    const rest = collect(stream);
    await session.close();
    expect(first.value?.type).toBe("user");
    expect(await rest).toEqual([]);
    await daemon.waitForRequest("close_session");
  });

  test.each([
    ["session_closed", "SESSION_CLOSED"],
    ["session_unsubscribed", "SESSION_DETACHED"],
    ["session_inactivity", "SESSION_DISCONNECTED"],
  ])("the daemon's %s ends a running stream with %s", async (type, code) => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(hang());
    const session = await connection.createSession();
    const stream = session.stream("hi", { includePartialMessages: true });
    await stream.next();
    daemon.sessions.get(session.sessionId)?.notify({ type, message: "bye.", timestamp: 1, timeoutSeconds: 1 });
    expect(await rejection(collect(stream))).toMatchObject({ code, sessionId: session.sessionId });
  });

  test("an agent whose process ends gives a result that says so", async () => {
    const { daemon, connection } = await connected(options);
    daemon.onPrompt(async (prompt) => {
      prompt.delta("half an");
      prompt.notify({ type: "session_process_exited", message: "exit 137", timestamp: 1 });
      await new Promise(() => {});
    });
    const session = await connection.createSession();
    expect(await resultOf(session.stream("hi"))).toMatchObject({
      subtype: "error_during_execution",
      reason: "agent_exited",
      text: "half an",
      error: { message: "exit 137", errorType: "ProcessExitError", code: "PROCESS_EXITED" },
    });
  });
});

test("nothing is sent before the loop begins", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  const stream = session.stream("hi");
  await session.send("other");
  expect(daemon.received.filter(({ method }) => method === "add_user_message")).toHaveLength(1);
  await stream.return();
});

test("a signal that is aborted already throws its reason, and nothing is sent", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  const sent = daemon.received.length;
  expect(await rejection(collect(session.stream("hi", { abortSignal: AbortSignal.abort("no thanks") })))).toMatchObject(
    {
      code: "ABORTED",
      message: "no thanks",
    },
  );
  expect(daemon.received.length).toBe(sent);
});

test("a second stream on one session throws ConcurrentStreamError, and the first goes on", async () => {
  const { daemon, connection } = await connected();
  let finish: () => void = () => {};
  daemon.onPrompt(
    (prompt) =>
      new Promise((resolve) => {
        finish = () => {
          prompt.message("done");
          resolve();
        };
      }),
  );
  const session = await connection.createSession();
  const first = session.stream("one");
  await first.next();
  const error = await rejection(collect(session.stream("two")));
  expect(error).toBeInstanceOf(ConcurrentStreamError);
  expect(error).toBeInstanceOf(SessionError);
  finish();
  expect(await resultOf(first)).toMatchObject({ text: "done" });
});

test("a prompt that is refused makes the stream throw, and frees the session for the next one", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  daemon.answer("add_user_message", () => {
    throw rpcFault(-32_005, "agent gone");
  });
  expect(await rejection(collect(session.stream("hi")))).toMatchObject({
    code: "SESSION_DISCONNECTED",
    retryable: true,
  });
  expect(await rejection(collect(session.stream("hi")))).toMatchObject({ code: "SESSION_DISCONNECTED" });
});

test("our id of the message goes along, and names the turn", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  const result = await resultOf(session.stream("hi", { messageId: "m-1" }));
  expect(result.messageId).toBe("m-1");
  expect((await daemon.waitForRequest("add_user_message")).params).toMatchObject({ messageId: "m-1", text: "hi" });
});
