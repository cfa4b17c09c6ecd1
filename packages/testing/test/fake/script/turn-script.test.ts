import { expect, test } from "vitest";
import { FakeClock, FakeDaemon, type FakeDaemonOptions } from "../../../src/index.js";
import { RawClient } from "../../raw-client.js";

async function connected(options?: FakeDaemonOptions) {
  const daemon = new FakeDaemon(options);
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create({ inbox: true });
  const send = (text: string) => client.call("add_user_message", { sessionId, text, messageId: text });
  return { daemon, client, send };
}

/** Texts that the client received in pieces. */
const heard = (client: RawClient) =>
  client.frames.flatMap(({ params }) => params?.notification?.textDelta ?? []).join("|");

test("a script reads as the turn it plays", async () => {
  const { daemon, client, send } = await connected();
  daemon
    .whenPrompted(/greet/)
    .thinks("Po", "litely.")
    .callsTool({ name: "Clock", result: "noon" })
    .streams(["Hel", "lo"]);
  await send("please greet");
  await client.waitForIdle();
  expect(client.story).toEqual([
    "state:streaming_assistant_message",
    "create_message",
    "thinking_text_delta",
    "thinking_text_delta",
    "thinking_text_complete",
    "tool_call",
    "create_message",
    "state:executing_tool",
    "tool_result",
    "state:streaming_assistant_message",
    "assistant_text_delta",
    "assistant_text_delta",
    "assistant_text_complete",
    "create_message",
    "session_token_usage_changed",
    "agent_turn_completed",
    "state:idle",
  ]);
  expect(heard(client)).toBe("Po|litely.|Hel|lo");
});

test("thinking is the first block of its message, the text the one after it", async () => {
  const { daemon, client, send } = await connected();
  daemon.whenPrompted().thinks("hm").streams("yes");
  await send("go");
  const delta = await client.waitForNotification("assistant_text_delta");
  expect(delta.params?.notification).toMatchObject({ blockIndex: 1 });
  const message = await client.waitForNotification("create_message", 2);
  expect(message.params?.notification?.message).toMatchObject({
    content: [
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "yes" },
    ],
  });
});

test("the latest script that means a prompt has it: by text, pattern, or function; else the one for all others", async () => {
  const { daemon, client, send } = await connected();
  daemon.onPrompt((prompt) => void prompt.delta("other"));
  daemon.whenPrompted(/^a/g).streams("starts with a");
  daemon.whenPrompted("ab").streams("is ab");
  daemon.whenPrompted((text) => text.length === 5).streams("five");
  daemon.whenPrompted("ab").streams("is ab, the first time").once();
  for (const [index, text] of ["ab", "a-1", "a-2", "abcde", "b"].entries()) {
    await send(text);
    await client.waitForIdle(index + 1);
  }
  await client.call("add_user_message", { sessionId: client.sessionId, text: "ab" });
  await client.waitForIdle(6);
  expect(heard(client)).toBe("is ab, the first time|starts with a|starts with a|five|other|is ab");
});

test.each([
  ["proceed_once", "Deployed."],
  ["cancel", "Another time."],
])("a script goes on as the answer was: %s", async (selectedOption, text) => {
  const { daemon, client, send } = await connected();
  daemon
    .whenPrompted("deploy")
    .asks({ tool: "Execute", input: { command: "make deploy" } })
    .thenIf(
      "proceed_once",
      (yes) => yes.streams("Deployed."),
      (no) => no.streams("Another time."),
    );
  await send("deploy");
  const asked = await client.waitFor(({ type }) => type === "request");
  expect(asked.params).toMatchObject({ toolUses: [{ confirmationType: "exec", details: { command: "make deploy" } }] });
  client.respond(asked.id, { selectedOption });
  await client.waitForIdle();
  expect(heard(client)).toBe(text);
});

test("questions are answered by their first answer's text, or by whatever a function sees", async () => {
  const { daemon, client, send } = await connected();
  const questions = [{ index: 1, topic: "Colour", question: "Which?", options: ["red", "blue"] }];
  daemon
    .whenPrompted("paint")
    .asks({ questions })
    .thenIf("red", (red) => red.streams("Red it is."))
    .thenIf(
      (answer) => "answers" in answer && answer.answers.length === 1,
      (one) => one.streams("One answer."),
    );
  await send("paint");
  const asked = await client.waitFor(({ type }) => type === "request");
  client.respond(asked.id, { answers: [{ index: 1, question: "Which?", answer: "red" }] });
  await client.waitForIdle();
  expect(heard(client)).toBe("Red it is.|One answer.");
});

test("a tool that needs permission and is refused gives back an error", async () => {
  const { daemon, client, send } = await connected();
  daemon
    .whenPrompted()
    .callsTool({ name: "Rm", needsPermission: ["proceed_always"], result: "gone" })
    .streams("Next.");
  await send("go");
  const asked = await client.waitFor(({ type }) => type === "request");
  expect(asked.params?.options).toEqual([{ label: "proceed_always", value: "proceed_always" }]);
  client.respond(asked.id, { selectedOption: "cancel" });
  const result = await client.waitForNotification("tool_result");
  expect(result.params?.notification).toMatchObject({ isError: true });
  await client.waitForIdle();
  expect(heard(client)).toBe("Next.");
});

test("a turn can fail, exit, or end with a reason of its own; what is written after that is not told", async () => {
  const { daemon, client, send } = await connected();
  daemon.whenPrompted("fail").fails("no model").streams("never");
  daemon.whenPrompted("exit").exits(7).streams("never");
  daemon.whenPrompted("own").completes("of_tomorrow").streams("never");
  for (const [index, text] of ["fail", "exit", "own"].entries()) {
    await send(text);
    await client.waitForIdle(index + 1);
  }
  const ends = client.frames.flatMap(({ params }) =>
    params?.notification?.type === "agent_turn_completed" ? [params.notification] : [],
  );
  expect(ends).toMatchObject([
    { reason: "error", turnId: "fail" },
    { reason: "agent_exited", exitCode: 7, turnId: "exit" },
    { reason: "of_tomorrow", turnId: "own" },
  ]);
  expect(heard(client)).toBe("");
});

test("a turn that never ends can be interrupted, also while it waits for time or for the test", async () => {
  const clock = new FakeClock();
  const { daemon, client, send } = await connected({ clock });
  daemon.whenPrompted("never").neverEnds();
  daemon.whenPrompted("long").waits(60_000).streams("never");
  daemon
    .whenPrompted("test")
    .waitsFor(new Promise(() => {}))
    .streams("never");
  for (const [index, text] of ["never", "long", "test"].entries()) {
    await send(text);
    await client.call("interrupt_session", { sessionId: client.sessionId });
    await client.waitForIdle(index + 1);
  }
  expect([heard(client), clock.pendingTimers]).toEqual(["", 0]);
});

test("time passes in a script as the clock says, and the test can hold it", async () => {
  const clock = new FakeClock();
  const { daemon, client, send } = await connected({ clock });
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  daemon
    .whenPrompted()
    .streams("a")
    .waits(10)
    .streams("b")
    .waitsFor(held)
    .does((prompt) => prompt.delta("c"));
  await send("go");
  await clock.advance(9);
  expect(heard(client)).toBe("a");
  await clock.advance(1);
  expect(heard(client)).toBe("a|b");
  release();
  await client.waitForIdle();
  expect(heard(client)).toBe("a|b|c");
});
