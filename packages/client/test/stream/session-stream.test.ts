import { SessionError, type SessionNotification } from "@daemon-sdk/protocol";
import { rpcFault } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import { ConcurrentStreamError, ConnectionError } from "../../src/index.js";
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

test("a stream whose prompt waits behind another turn yields only its own", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  let finish: () => void = () => {};
  daemon.onPrompt((prompt) =>
    prompt.text === "first"
      ? new Promise((resolve) => {
          finish = () => {
            prompt.delta("first's");
            prompt.message();
            resolve();
          };
        })
      : void prompt.message("mine"),
  );
  await session.send("first");
  const events = collect(session.stream("second", { includePartialMessages: true }));
  await daemon.waitForRequest("add_user_message", 2);
  finish();
  expect(JSON.stringify(await events)).not.toContain("first");
  expect((await events).at(-1)).toMatchObject({ text: "mine", subtype: "success" });
});

test("the idle that follows a completed turn late does not end the next one", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  const answers: string[] = [];
  for (const text of ["one", "two"]) {
    for await (const event of session.stream(text)) {
      if (event.type !== "result") continue;
      answers.push(event.text);
      daemon.sessions.get(session.sessionId)?.notify({ type: "droid_working_state_changed", newState: "idle" });
    }
  }
  expect(answers).toEqual(["You said: one", "You said: two"]);
});

test("a consumer that is too slow gets SLOW_CONSUMER; the turn is not interrupted", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  daemon.onPrompt((prompt) => {
    for (let count = 0; count < 100; count += 1) prompt.delta("x".repeat(1_000));
    prompt.message();
  });
  const session = await connection.createSession();
  const stream = session.stream("hi", { includePartialMessages: true, maxBufferedBytes: 20_000 });
  await stream.next();
  await session.getMessages();
  expect(await rejection(collect(stream))).toMatchObject({ code: "SLOW_CONSUMER" });
  expect(daemon.received.map(({ method }) => method)).not.toContain("interrupt_session");
  expect(await resultOf(session.stream("again", { messageId: "m-2" }))).toMatchObject({ messageId: "m-2" });
});

test("a notice of the daemon is told in its place, and the turn is a success all the same", async () => {
  const { daemon, connection } = await connected();
  const notice = { type: "session_notice", code: "STORAGE_FULL", message: "full", timestamp: 1 };
  daemon.onPrompt((prompt) => {
    prompt.notify(notice);
    prompt.message("done");
  });
  const session = await connection.createSession();
  const events = await collect(session.stream("hi"));
  expect(events.map(({ type }) => type)).toEqual(["user", "session_notice", "assistant", "result"]);
  expect(events[1]).toEqual(notice);
  expect(events.at(-1)).toMatchObject({ subtype: "success", success: true, messages: [events[0], events[2]] });
});

test("a turn that the daemon ends with a failure gives a result, with the agent's own error first", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  const session = await connection.createSession();
  daemon.onPrompt((prompt) => prompt.fail(new RangeError("model said no")));
  expect(await resultOf(session.stream("hi"))).toMatchObject({
    subtype: "error_during_execution",
    reason: "error",
    isError: true,
    error: { message: "model said no" },
    errors: [{ message: "model said no" }],
  });
  daemon.onPrompt((prompt) =>
    prompt.notify({
      type: "agent_turn_completed",
      reason: "agent_exited",
      turnId: prompt.messageId,
      exitCode: 3,
      signal: null,
    }),
  );
  expect(await resultOf(session.stream("hi"))).toMatchObject({
    subtype: "error_during_execution",
    error: { code: "PROCESS_EXITED", exitCode: 3, signal: null },
  });
});

test.each([
  ["AGENT_UNSTABLE", "AGENT_UNSTABLE"],
  ["SOMETHING_ELSE", "PROCESS_EXITED"],
])("a turn whose agent is not there, told as %s, has the code %s (F11)", async (told, code) => {
  const { daemon, connection } = await connected();
  daemon.onPrompt((prompt) =>
    prompt.notify({
      type: "agent_turn_completed",
      reason: "agent_exited",
      turnId: prompt.messageId,
      message: "too often",
      code: told,
    }),
  );
  const session = await connection.createSession();
  expect(await resultOf(session.stream("hi"))).toMatchObject({
    subtype: "error_during_execution",
    error: { message: "too often", code, exitCode: null },
  });
});

test("on a plain daemon the next prompt waits until the turn that was left has ended", async () => {
  const { daemon, connection } = await connected();
  let endTurn: () => void = () => {};
  daemon.onPrompt(
    (prompt) =>
      new Promise((resolve) => {
        endTurn = resolve;
        prompt.signal.addEventListener("abort", () => resolve());
      }),
  );
  // An agent that takes its time: acknowledged at once, stopped later.
  daemon.answer("interrupt_session", () => ({}));
  const session = await connection.createSession();
  for await (const _event of session.stream("first")) break;
  await daemon.waitForRequest("interrupt_session");
  daemon.onPrompt((prompt) => void prompt.message("second"));
  const result = resultOf(session.stream("second"));
  await session.getMessages();
  expect(daemon.received.filter(({ method }) => method === "add_user_message")).toHaveLength(1);
  endTurn();
  expect((await result).text).toBe("second");
});

test("a stream that waits for a left turn can be left itself, and then sends nothing", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(hang());
  daemon.answer("interrupt_session", () => ({}));
  const session = await connection.createSession();
  for await (const _event of session.stream("first")) break;
  const second = session.stream("second");
  const next = second.next();
  await second.return();
  expect((await next).done).toBe(true);
  daemon.sessions.get(session.sessionId)?.interrupt();
  await session.getMessages();
  expect(daemon.received.filter(({ method }) => method === "add_user_message")).toHaveLength(1);
});

describe("an agent that never shows the prompt again", () => {
  /** Answers each prompt by hand: no user message, and the idle only when it is asked for. */
  async function silent() {
    const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
    const turns: string[] = [];
    daemon.answer("add_user_message", ({ params }) => {
      turns.push(params.messageId as string);
      return {};
    });
    const session = await connection.createSession();
    const notify = (notification: SessionNotification) => daemon.sessions.get(session.sessionId)?.notify(notification);
    const play = async (turnId: string, text: string) => {
      notify({ type: "droid_working_state_changed", newState: "thinking" });
      notify({ type: "assistant_text_delta", messageId: turnId, blockIndex: 0, textDelta: text });
      notify({ type: "agent_turn_completed", reason: "completed", turnId });
      await session.getMessages();
    };
    return { daemon, session, turns, play };
  }

  test("has turns that follow each other, though the idle between them comes late", async () => {
    const { daemon, session, play } = await silent();
    for (const text of ["one", "two"]) {
      const result = resultOf(session.stream(text, { messageId: text }));
      await daemon.waitForRequest("add_user_message", text === "one" ? 1 : 2);
      await play(text, text);
      expect((await result).text).toBe(text);
    }
  });

  test("has queued turns that are told apart by the ends before them", async () => {
    const { daemon, session, play } = await silent();
    await session.send("one", { messageId: "one" });
    await session.send("two", { messageId: "two" });
    const result = resultOf(session.stream("three", { messageId: "three" }));
    await daemon.waitForRequest("add_user_message", 3);
    for (const text of ["one", "two", "three"]) await play(text, text);
    expect((await result).text).toBe("three");
  });
});

test("an agent that dies under another turn does not end the one that waits behind it on our daemon", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  let die: () => void = () => {};
  daemon.onPrompt((prompt) =>
    prompt.text === "first"
      ? new Promise((resolve) => {
          die = () => {
            prompt.notify({ type: "session_process_exited", message: "gone", timestamp: 1 });
            resolve();
          };
        })
      : void prompt.message("by a new agent"),
  );
  const session = await connection.createSession();
  await session.send("first");
  const result = resultOf(session.stream("second"));
  await daemon.waitForRequest("add_user_message", 2);
  die();
  expect(await result).toMatchObject({ subtype: "success", text: "by a new agent" });
});

test("a prompt that a plain daemon throws away with an interrupt ends its stream as interrupted", async () => {
  const { daemon, connection } = await connected({ completesTurns: true });
  const session = await connection.createSession();
  const stored = daemon.sessions.get(session.sessionId);
  daemon.answer("add_user_message", () => ({}));
  await session.send("running");
  stored?.notify({ type: "droid_working_state_changed", newState: "thinking" });
  const result = resultOf(session.stream("queued"));
  const { id: requestId } = await daemon.waitForRequest("add_user_message", 2);
  stored?.notify({ type: "queued_messages_discarded", text: "queued", requestId });
  stored?.notify({ type: "droid_working_state_changed", newState: "idle" });
  expect(await result).toMatchObject({ subtype: "interrupted", text: "", messages: [] });
});

test("events that were not read before an abort are dropped", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(hang());
  const session = await connection.createSession();
  const controller = new AbortController();
  const stream = session.stream("hi", { includePartialMessages: true, signal: controller.signal });
  await stream.next();
  await session.getMessages();
  controller.abort(new RangeError("enough"));
  expect(await rejection(stream.next())).toMatchObject({ message: "enough" });
});

test("a message that the agent takes back is no part of the result", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt((prompt) => {
    prompt.message("kept");
    const messageId = prompt.message("regretted");
    prompt.notify({ type: "assistant_message_retracted", messageId });
  });
  const session = await connection.createSession();
  const result = await resultOf(session.stream("hi"));
  expect(result.text).toBe("kept");
  expect(JSON.stringify(result.messages)).not.toContain("regretted");
});

test("a stream can be left with `await using`", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(hang());
  const session = await connection.createSession();
  {
    await using stream = session.stream("hi");
    await stream.next();
  }
  await daemon.waitForRequest("interrupt_session");
});

test("after the session was closed, a stream throws and sends nothing", async () => {
  const { daemon, connection } = await connected();
  const session = await connection.createSession();
  await session.close();
  const sent = daemon.received.length;
  expect(await rejection(collect(session.stream("hi")))).toMatchObject({ code: "SESSION_CLOSED" });
  expect(daemon.received.length).toBe(sent);
});

test("a lost connection is an error of the class that instanceof knows", async () => {
  const { daemon, connection } = await connected({}, { reconnect: false });
  daemon.onPrompt(hang());
  const session = await connection.createSession();
  const stream = session.stream("hi");
  await stream.next();
  daemon.cut();
  expect(await rejection(collect(stream))).toBeInstanceOf(ConnectionError);
});
