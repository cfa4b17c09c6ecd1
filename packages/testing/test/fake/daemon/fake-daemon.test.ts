import { expect, test } from "vitest";
import { FakeDaemon, NO_REPLY, rpcFault } from "../../../src/index.js";
import { RawClient } from "../../raw-client.js";

test("a method before authentication is refused, and so is a wrong credential", async () => {
  const daemon = new FakeDaemon({ credential: "right" });
  const client = await RawClient.open(daemon);
  const plain = await RawClient.open(new FakeDaemon({ plain: true }));
  expect((await plain.call("list_opened_sessions")).error?.code).toBe(-32_601);
  expect((await client.call("list_opened_sessions")).error?.code).toBe(-32_001);
  expect((await client.call("authenticate", { apiKey: "wrong", caller: "test" })).error?.code).toBe(-32_001);
  expect((await client.call("authenticate", { token: "right", caller: "test" })).result).toMatchObject({
    userId: expect.any(String),
    orgId: expect.any(String),
  });
  expect((await client.call("list_opened_sessions")).result).toEqual({ sessions: [] });
  expect(daemon.received.map(({ method }) => method)).toEqual([
    "list_opened_sessions",
    "authenticate",
    "authenticate",
    "list_opened_sessions",
  ]);
});

test("bad frames are answered as the wire says, and the connection goes on", async () => {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  for (const text of ["{", "[]", '{"jsonrpc":"2.0","id":1,"method":"x"}']) {
    client.frames.length = 0;
    client.transport.send(text);
    const answer = await client.waitFor((frame) => frame.type === "response");
    expect(answer).toMatchObject({ id: null, error: { code: -32_700 } });
  }
  expect(daemon.badFrames).toHaveLength(3);
  expect((await client.call("no_such_method")).error?.code).toBe(-32_601);
  expect((await client.call("list_opened_sessions", {}, { factoryProtocolVersion: "9.9.9" })).error?.code).toBe(
    -32_601,
  );
  expect((await client.call("load_session", { sessionId: "nope", token: "t" })).error?.code).toBe(-32_004);
  expect((await client.call("initialize_session", { machineId: "m", cwd: "." })).error?.code).toBe(-32_602);
});

test("the default turn has the order of a real one", async () => {
  const daemon = new FakeDaemon({ capabilities: { turns: true } });
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create();
  await client.call("add_user_message", { sessionId, text: "hi", messageId: "m-1" });
  await client.waitForIdle();
  expect(client.story).toEqual([
    "state:streaming_assistant_message",
    "create_message",
    "assistant_text_delta",
    "assistant_text_delta",
    "assistant_text_delta",
    "assistant_text_complete",
    "create_message",
    "session_token_usage_changed",
    "agent_turn_completed",
    "state:idle",
  ]);
  const end = await client.waitForNotification("agent_turn_completed");
  expect(end.params?.notification).toMatchObject({ turnId: "m-1", reason: "completed" });
  const { result } = await client.call("load_session", { sessionId, token: "t" });
  expect(result).not.toHaveProperty("sessionId");
  expect(result?.session).toMatchObject({ messages: [{ id: "m-1", role: "user" }, { role: "assistant" }] });
});

test("the acknowledgement can lead the turn or follow its start", async () => {
  for (const acknowledgesLate of [false, true]) {
    const client = await RawClient.connect(new FakeDaemon({ acknowledgesLate }));
    const sessionId = await client.create();
    client.frames.length = 0;
    await client.call("add_user_message", { sessionId, text: "hi" });
    await client.waitForIdle();
    expect(client.frames[0]?.type).toBe(acknowledgesLate ? "notification" : "response");
  }
});

test("prompts sent while a turn runs wait for it, and the same message twice runs once", async () => {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  const release: (() => void)[] = [];
  daemon.onPrompt(async (prompt) => {
    await new Promise<void>((resolve) => release.push(resolve));
    prompt.message(`done ${prompt.text}`);
  });
  const sessionId = await client.create();
  for (const text of ["one", "two"]) {
    expect((await client.call("add_user_message", { sessionId, text, messageId: text })).result).toEqual({});
  }
  expect((await client.call("add_user_message", { sessionId, text: "two", messageId: "two" })).result).toEqual({
    receipt: { messageId: "two", state: "accepted", acceptedAt: expect.any(Number) },
  });
  expect((await client.call("add_user_message", { sessionId, text: "2", messageId: "two" })).error?.code).toBe(-32_602);
  const { result } = await client.call("load_session", { sessionId, token: "t" });
  expect(result).toMatchObject({ isAgentLoopInProgress: true, queuedMessages: [{ text: "two" }] });
  release[0]?.();
  await client.waitForIdle();
  await client.waitForNotification("create_message", 3);
  release[1]?.();
  await client.waitForIdle(2);
  expect(daemon.sessions.get(sessionId)?.messages.map(({ content }) => content[0])).toEqual([
    { type: "text", text: "one" },
    { type: "text", text: "done one" },
    { type: "text", text: "two" },
    { type: "text", text: "done two" },
  ]);
});

const toolUses = [
  {
    toolUse: { type: "tool_use", id: "t-1", name: "Execute", input: { command: "ls" } },
    confirmationType: "exec",
    details: { type: "exec", fullCommand: "ls", command: "ls" },
  },
] as const;

test("a permission waits for its answer, tells the outcome, and takes one answer only", async () => {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  daemon.onPrompt(async (prompt) => {
    const id = prompt.toolCall("Execute", { command: "ls" }, "t-1");
    const { selectedOption } = await prompt.askPermission({ toolUses: [...toolUses] });
    prompt.toolResult(id, selectedOption);
    prompt.message("done");
  });
  const sessionId = await client.create();
  await client.call("add_user_message", { sessionId, text: "go" });
  const asked = await client.waitFor((frame) => frame.type === "request");
  client.respond(asked.id, { selectedOption: "proceed_once", sessionId });
  client.respond(asked.id, { selectedOption: "cancel", sessionId });
  await client.waitForIdle();
  expect(client.story.slice(2, 10)).toEqual([
    "tool_call",
    "create_message",
    "state:executing_tool",
    "state:waiting_for_tool_confirmation",
    "request:daemon.request_permission",
    "permission_resolved",
    "state:executing_tool",
    "tool_result",
  ]);
  expect(daemon.responses.map(({ accepted }) => accepted)).toEqual([true, false]);
  const result = await client.waitForNotification("tool_result");
  expect(result.params?.notification).toMatchObject({ content: "proceed_once", toolUseId: "t-1" });
});

test("a pending request is in load_session, and can be answered from a connection that never got it", async () => {
  const daemon = new FakeDaemon();
  const session = daemon.addSession({ id: "s-1" });
  const permission = session.askPermission({ toolUses: [...toolUses] });
  const answers = session.askUser({
    questions: [{ index: 1, topic: "Colour", question: "Which?", options: ["a", "b"] }],
  });
  const client = await RawClient.connect(daemon);
  const { result } = await client.call("load_session", { sessionId: "s-1", token: "t" });
  const requestIn = (list: string) => (result?.[list] as { requestId: string }[] | undefined)?.[0]?.requestId;
  client.respond(requestIn("pendingPermissions"), { selectedOption: "cancel" });
  client.respond(requestIn("pendingAskUserRequests"), { answers: [{ index: 1, question: "Which?", answer: "b" }] });
  expect(await permission).toEqual({ selectedOption: "cancel" });
  expect((await answers).answers).toEqual([{ index: 1, question: "Which?", answer: "b" }]);
});

test("with an inbox every attached client that uses it receives a request, without one only the client of the prompt", async () => {
  for (const inbox of [true, false]) {
    const daemon = new FakeDaemon(inbox ? {} : { plain: true });
    const [first, second] = [await RawClient.connect(daemon), await RawClient.connect(daemon)];
    daemon.onPrompt(async (prompt) => void (await prompt.askPermission({ toolUses: [...toolUses] })));
    const sessionId = await first.create({ inbox: true });
    await second.call("load_session", { sessionId, token: "t", inbox: true });
    await first.call("add_user_message", { sessionId, text: "go" });
    const asked = await first.waitFor((frame) => frame.type === "request");
    (inbox ? second : first).respond(asked.id, { selectedOption: "cancel" });
    await Promise.all([first.waitForIdle(), second.waitForIdle()]);
    expect(second.frames.some((frame) => frame.type === "request")).toBe(inbox);
  }
});

test("an interrupt ends the turn as cancelled, closes its requests and stops its script's voice", async () => {
  const daemon = new FakeDaemon({ capabilities: { turns: true } });
  const client = await RawClient.connect(daemon);
  let outcome: string | undefined;
  daemon.onPrompt(async (prompt) => {
    outcome = (await prompt.askPermission({ toolUses: [...toolUses] })).selectedOption;
    prompt.delta("never heard");
  });
  const sessionId = await client.create();
  await client.call("add_user_message", { sessionId, text: "go" });
  expect((await client.call("interrupt_session", { sessionId })).result).toEqual({});
  await client.waitForIdle();
  expect(outcome).toBe("cancel");
  expect(client.story.slice(-4)).toEqual([
    "permission_resolved",
    "session_token_usage_changed",
    "agent_turn_completed",
    "state:idle",
  ]);
  expect(client.story).not.toContain("assistant_text_delta");
});

test("interrupting a session that this connection has not loaded takes the capability", async () => {
  for (const directInterrupt of [true, false]) {
    const daemon = new FakeDaemon(directInterrupt ? {} : { without: ["directInterrupt"] });
    daemon.addSession({ id: "s-1" });
    const client = await RawClient.connect(daemon);
    const answer = await client.call("interrupt_session", { sessionId: "s-1" });
    expect(answer.error?.code).toBe(directInterrupt ? undefined : -32_004);
  }
});

test("closing notifies the other attached clients, and the session can be loaded again", async () => {
  const daemon = new FakeDaemon();
  const [first, second] = [await RawClient.connect(daemon), await RawClient.connect(daemon)];
  const sessionId = await first.create();
  await second.call("load_session", { sessionId, token: "t" });
  await first.call("close_session", { sessionId });
  await second.waitForNotification("session_closed");
  expect(first.story).toEqual([]);
  expect((await first.call("list_opened_sessions")).result).toEqual({ sessions: [] });
  expect((await first.call("load_session", { sessionId, token: "t" })).error).toBeUndefined();
});

test("a cut drops every connection; turns go on, and stop refuses new dials", async () => {
  const daemon = new FakeDaemon();
  const client = await RawClient.connect(daemon);
  const sessionId = await client.create();
  let release = () => {};
  daemon.onPrompt(async (prompt) => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    prompt.message("late");
  });
  await client.call("add_user_message", { sessionId, text: "go" });
  const ended = new Promise((resolve) => {
    client.transport.onClose = resolve;
  });
  daemon.stop();
  expect(await ended).toMatchObject({ clean: false });
  await expect(RawClient.open(daemon)).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  daemon.start();
  const again = await RawClient.connect(daemon);
  await again.call("load_session", { sessionId, token: "t" });
  release();
  await again.waitForIdle();
  expect(daemon.sessions.get(sessionId)?.messages).toHaveLength(2);
  expect(daemon.connections).toBe(1);
});

test("a test can answer any method itself, or leave it unanswered", async () => {
  const daemon = new FakeDaemon();
  daemon.answer("rename_session", () => ({ accepted: true }));
  daemon.answer("list_skills", () => {
    throw rpcFault(-32_005, "The worker is gone", { sessionId: "s" });
  });
  daemon.answer("list_mcp_tools", () => NO_REPLY);
  const client = await RawClient.connect(daemon);
  void client.call("list_mcp_tools", {});
  expect((await client.call("rename_session")).result).toEqual({ accepted: true });
  expect((await client.call("list_skills")).error).toEqual({
    code: -32_005,
    message: "The worker is gone",
    data: { sessionId: "s" },
  });
  expect(await daemon.waitForRequest("list_mcp_tools")).toMatchObject({ link: 1 });
  expect(client.frames.filter(({ type }) => type === "response")).toHaveLength(3);
});

test("positions are stamped only where they are offered", async () => {
  for (const positions of [true, false]) {
    const daemon = new FakeDaemon(positions ? {} : { without: ["positions"] });
    const client = await RawClient.connect(daemon);
    const sessionId = await client.create();
    await client.call("add_user_message", { sessionId, text: "hi" });
    const idle = await client.waitForIdle();
    expect(idle._meta).toEqual(positions ? { epoch: 1, seq: expect.any(Number) } : undefined);
  }
});
