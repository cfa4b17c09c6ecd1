import { rpcFault } from "@daemon-sdk/testing";
import { expect, test } from "vitest";
import { ConnectionError } from "../../src/index.js";
import { collect, connected, hang, OUR_CAPABILITIES, rejection, resultOf } from "../support.js";

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

test("a prompt that is sent again by its id leaves the stream of its turn as it is", async () => {
  const { daemon, connection } = await connected({ capabilities: OUR_CAPABILITIES });
  let finish: () => void = () => {};
  daemon.onPrompt((prompt) => {
    prompt.delta("once");
    return new Promise((resolve) => {
      finish = () => resolve(void prompt.message());
    });
  });
  const session = await connection.createSession();
  const result = resultOf(session.stream("hi", { messageId: "m-1" }));
  await daemon.waitForPrompt("hi");
  await session.send("hi", { messageId: "m-1" });
  daemon.answer("add_user_message", () => {
    throw rpcFault(-32_602, "No");
  });
  await rejection(session.send("hi", { messageId: "m-1" }));
  finish();
  expect(await result).toMatchObject({ text: "once", subtype: "success" });
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

test.each(["whole", "in pieces"])("text that came %s and was taken back is not the result's", async (how) => {
  const { daemon, connection } = await connected({ completesTurns: true });
  daemon.onPrompt((prompt) => {
    prompt.delta("regretted");
    const messageId = how === "whole" ? prompt.message() : "pieces";
    if (how === "in pieces") {
      const delta = { messageId, blockIndex: 0, textDelta: " and more" };
      prompt.notify({ type: "assistant_text_delta", ...delta });
    }
    prompt.notify({ type: "assistant_message_retracted", messageId });
    prompt.end("completed");
  });
  const session = await connection.createSession();
  expect((await resultOf(session.stream("hi"))).text).toBe(how === "whole" ? "" : "regretted");
  await connection.close();
});

test("a stream can be left with `await using`", async () => {
  const { daemon, connection } = await connected();
  daemon.onPrompt(hang());
  const session = await connection.createSession();
  {
    await using stream = session.stream("hi");
    await stream.next();
  }
  const { params } = await daemon.waitForRequest("interrupt_session");
  expect(params).toMatchObject({ sessionId: session.sessionId });
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
