import { messageId, ProcessExitError, sessionId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { Harness } from "../sessions/harness.js";

test("a prompt is acknowledged, streamed in order with positions, and ended once in the daemon's own words", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  expect(await client.createSession("s-1")).toMatchObject({
    sessionId: "s-1",
    session: { messages: [] },
    settings: { modelId: "fake-1", reasoningEffort: "none" },
    position: { epoch: harness.epoch, seq: 0 },
  });
  const agent = await harness.spawner.agentOf("s-1");
  agent.onPrompt = ({ text }) => {
    agent.started();
    agent.state("streaming_assistant_message");
    agent.message("m-1", "user", text, { requestId: "the agent's own" });
    agent.delta("Hel");
    agent.delta("lo");
    agent.message("a-1", "assistant", "Hello");
    agent.state("idle");
    agent.end("completed", { durationMs: 5 });
  };
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" }, "prompt-1");
  await client.turnEnd("m-1");
  await client.notified({ newState: "idle" });

  expect(client.types("s-1")).toEqual([
    "state streaming_assistant_message",
    "create_message",
    "assistant_text_delta",
    "assistant_text_delta",
    "create_message",
    "agent_turn_completed",
    "state idle",
  ]);
  expect(client.notifications()[1]).toMatchObject({ requestId: "prompt-1" });
  expect(await client.turnEnd("m-1")).toEqual({
    type: "agent_turn_completed",
    reason: "completed",
    turnId: "m-1",
    durationMs: 5,
  });
  const positions = client.seen
    .filter(({ method }) => method === "daemon.session_notification")
    .map(({ _meta }) => _meta);
  expect(positions).toEqual(positions.map((_, index) => ({ epoch: harness.epoch, seq: index + 1 })));
});

test("the same messageId acts once: acknowledged again while it runs and after it, refused with other content", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const message = { sessionId: "s-1", text: "Hi", messageId: "m-1" };
  expect((await client.call("add_user_message", message)).result).toEqual({});
  await agent.prompted(1);
  const again = (await client.call("add_user_message", message)).result;
  expect(again).toEqual({ receipt: expect.objectContaining({ messageId: "m-1", state: "handed", firstSeq: 1 }) });
  agent.end();
  await client.turnEnd("m-1");
  const after = (await client.call("add_user_message", message)).result;
  expect(after).toEqual({ receipt: expect.objectContaining({ messageId: "m-1", state: "completed" }) });
  const other = await client.call("add_user_message", { ...message, text: "Something else" });
  expect(other.error).toMatchObject({ code: -32602, data: { code: "INVALID_PARAMS" } });
  expect(agent.prompts).toHaveLength(1);
  expect(client.types("s-1").filter((type) => type === "agent_turn_completed")).toHaveLength(1);
});

test("two copies of a message in one tick are one message", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const message = { sessionId: "s-1", text: "Hi", messageId: "m-1" };
  const ids = [client.send("add_user_message", message), client.send("add_user_message", message)];
  for (const id of ids) await client.until((frame) => frame.id === id && frame.type === "response");
  await agent.prompted(1);
  agent.end();
  await client.turnEnd("m-1");
  expect(agent.prompts).toHaveLength(1);
});

test("prompts are handed over one at a time, in order, and each ends with its own id", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (const id of ["m-1", "m-2", "m-3"])
    await client.call("add_user_message", { sessionId: "s-1", text: id, messageId: id });
  await agent.prompted(1);
  expect(agent.prompts.map(({ messageId }) => messageId)).toEqual(["m-1"]);
  expect((await client.loadSession("s-1")).queuedMessages).toMatchObject([{ messageId: "m-2" }, { messageId: "m-3" }]);
  for (const [index, id] of ["m-1", "m-2", "m-3"].entries()) {
    await agent.prompted(index + 1);
    agent.end();
    await client.turnEnd(id);
  }
  const ends = client.notifications().filter(({ type }) => type === "agent_turn_completed");
  expect(ends.map(({ turnId }) => turnId)).toEqual(["m-1", "m-2", "m-3"]);
});

test("a session takes only so many waiting messages, and says that later may help", async () => {
  await using harness = await Harness.start({ limits: { queuedTurns: 1 } });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "runs" });
  await agent.prompted(1);
  await client.call("add_user_message", { sessionId: "s-1", text: "waits" });
  const { error } = await client.call("add_user_message", { sessionId: "s-1", text: "too many" });
  expect(error).toMatchObject({ code: -32603, data: { code: "QUEUE_FULL", retryable: true } });
});

test("an interrupt works without a load, ends the turn as cancelled, and discards what waits behind it", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "one", messageId: "m-1" });
  await agent.prompted(1);
  await client.call("add_user_message", { sessionId: "s-1", text: "two", messageId: "m-2" }, "second");

  const stranger = await harness.connect();
  expect((await stranger.call("interrupt_session", { sessionId: "s-1" })).result).toEqual({});
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "cancelled" });
  expect(await client.turnEnd("m-2")).toMatchObject({ reason: "cancelled" });
  expect(await client.notified({ type: "queued_messages_discarded" })).toMatchObject({
    text: "two",
    requestId: "second",
  });
  await client.notified({ newState: "idle" });
  expect(agent.prompts).toHaveLength(1);
  expect((await stranger.call("interrupt_session", { sessionId: "s-1" })).result).toEqual({});
});

test("an interrupt that names a message acts on its turn while it runs or waits, and is {} without effect when it is over", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const send = (messageId: string) => client.call("add_user_message", { sessionId: "s-1", text: messageId, messageId });
  const interrupt = async (messageId: string) => {
    const { result } = await client.call("interrupt_session", { sessionId: "s-1", messageId });
    expect(result).toEqual({});
  };
  for (const id of ["m-1", "m-2", "m-3"]) await send(id);
  await agent.prompted(1);
  await interrupt("m-2");
  expect(await client.turnEnd("m-2")).toMatchObject({ reason: "cancelled" });
  await interrupt("m-2");
  await interrupt("never sent");
  agent.end("completed");
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "completed" });
  await agent.prompted(2);
  await send("m-4");
  await interrupt("m-1");
  await interrupt("m-3");
  expect(await client.turnEnd("m-3")).toMatchObject({ reason: "cancelled" });
  expect(await client.turnEnd("m-4")).toMatchObject({ reason: "cancelled" });
  expect(agent.prompts).toHaveLength(2);
});

test.each([{}, { messageId: "m-1" }])(
  "an interrupt right behind a message that is still being stored ends it: %j",
  async (named) => {
    await using harness = await Harness.start();
    const client = await harness.connect();
    await client.createSession("s-1");
    const agent = await harness.spawner.agentOf("s-1");
    const sent = client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
    const interrupted = client.call("interrupt_session", { sessionId: "s-1", ...named });
    await Promise.all([sent, interrupted]);
    expect(await client.turnEnd("m-1")).toMatchObject({ reason: "cancelled" });
    expect(agent.prompts).toEqual([]);
  },
);

test("an interrupt while the agent still starts ends the turn at once, and the agent never gets the prompt", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  (await harness.spawner.agentOf("s-1")).die();
  let openAgent = () => {};
  harness.spawner.onSpawn = (agent) => {
    const open = agent.open.bind(agent);
    agent.open = async (start) => {
      await new Promise<void>((resolve) => {
        openAgent = resolve;
      });
      return open(start);
    };
  };
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  const agent = await harness.spawner.agentOf("s-1", 2);
  await client.call("interrupt_session", { sessionId: "s-1" });
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "cancelled" });
  openAgent();
  await client.call("list_opened_sessions", {});
  expect(agent.prompts).toEqual([]);
});

test("an agent that does not end an interrupted turn is stopped, and the turn ends", async () => {
  await using harness = await Harness.start({ limits: { agentInterruptMs: 5 } });
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.onInterrupt = () => {};
  const stop = agent.stop.bind(agent);
  agent.stop = () => {
    agent.end("agent_exited", { exitCode: null, signal: "SIGKILL" });
    return stop();
  };
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  await client.call("interrupt_session", { sessionId: "s-1" });
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "agent_exited", signal: "SIGKILL" });
});

test("a turn survives the client that started it, and the next one sees how it went on", async () => {
  await using harness = await Harness.start();
  const first = await harness.connect();
  await first.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await first.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  agent.message("m-1", "user", "Hi");
  first.close();
  await first.closed();

  const second = await harness.connect();
  const snapshot = await second.loadSession("s-1");
  expect(snapshot).toMatchObject({ isAgentLoopInProgress: true, session: { messages: [{ id: "m-1" }], title: "Hi" } });
  agent.message("a-1", "assistant", "Hello");
  agent.end();
  await second.turnEnd("m-1");
});

test("an agent that dies in a turn ends it once with its exit, an original client sees an error and idle, and the next prompt starts it again", async () => {
  await using harness = await Harness.start();
  const client = await harness.connectPlain();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "one", messageId: "m-1" });
  await agent.prompted(1);
  agent.die(null, "SIGKILL");
  expect(await client.turnEnd("m-1")).toMatchObject({ reason: "agent_exited", exitCode: null, signal: "SIGKILL" });
  await client.notified({ newState: "idle" });
  expect(client.types()).toEqual(["state streaming_assistant_message", "error", "agent_turn_completed", "state idle"]);

  await client.call("add_user_message", { sessionId: "s-1", text: "two", messageId: "m-2" });
  const next = await harness.spawner.agentOf("s-1", 2);
  await next.prompted(1);
  expect(next.starts[0]).toMatchObject({ resume: "agent-s-1", cwd: "/" });
  next.end();
  await client.turnEnd("m-2");
});

test("the receipt of a turn whose agent died while it wrote has the text that it had", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "one", messageId: "m-1" });
  await agent.prompted(1);
  agent.delta("withdrawn", "a-0");
  agent.tell({ type: "assistant_message_retracted", messageId: "a-0" });
  for (const text of ["Half ", "of an ", "answer"]) agent.delta(text, "a-1");
  agent.die(null, "SIGKILL");
  await client.turnEnd("m-1");
  const { result } = await client.call("get_receipts", { sessionId: "s-1", messageIds: ["m-1"] });
  expect(result).toMatchObject({ receipts: [{ state: "agent_exited", text: "Half of an answer" }] });
});

test("an agent that keeps dying is unstable after five starts in ten seconds, and may be tried again later", async () => {
  let now = 1_000_000;
  await using harness = await Harness.start({ now: () => now });
  const client = await harness.connect();
  await client.createSession("s-1");
  (await harness.spawner.agentOf("s-1")).die();
  harness.spawner.onSpawn = (agent) => {
    agent.onPrompt = () => agent.die(3);
  };
  const reasons: unknown[] = [];
  for (let n = 1; n <= 6; n++) {
    await client.call("add_user_message", { sessionId: "s-1", text: `${n}`, messageId: `m-${n}` });
    const { exitCode, code } = await client.turnEnd(`m-${n}`);
    reasons.push(code ?? exitCode);
  }
  expect(reasons).toEqual([3, 3, 3, 3, "AGENT_UNSTABLE", "AGENT_UNSTABLE"]);
  const { error } = await client.call("list_skills", { sessionId: "s-1" });
  expect(error).toMatchObject({ code: -32005, data: { code: "AGENT_UNSTABLE" } });

  now += 10_000;
  await client.call("add_user_message", { sessionId: "s-1", text: "later", messageId: "m-7" });
  expect(await client.turnEnd("m-7")).toMatchObject({ exitCode: 3 });
});

test("an agent that cannot be started fails the session's creation with its reason, and leaves no session", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  harness.spawner.failure = new ProcessExitError("No such program.", {
    exitCode: null,
    signal: null,
    code: "PROCESS_START_FAILED",
  });
  const { error } = await client.call("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-1" });
  expect(error).toMatchObject({ code: -32603, message: "No such program.", data: { code: "PROCESS_START_FAILED" } });
  expect((await client.call("load_session", { sessionId: "s-1", token: "t" })).error?.code).toBe(-32004);
  harness.spawner.failure = undefined;
  await client.createSession("s-1");
});

test("an agent that confirms and ends its turn again and again changes nothing any more", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  agent.started();
  agent.started();
  await harness.committer.drain();
  expect(await harness.store.readTurn(sessionId("s-1"), messageId("m-1"))).toMatchObject({ state: "running" });
  for (const reason of ["completed", "error", "cancelled"]) agent.end(reason);
  agent.started();
  await client.turnEnd("m-1");
  agent.delta("after");
  await client.notified({ textDelta: "after" });
  expect(client.types().filter((type) => type === "agent_turn_completed")).toHaveLength(1);
  expect(await harness.store.readTurn(sessionId("s-1"), messageId("m-1"))).toMatchObject({ state: "completed" });
});
