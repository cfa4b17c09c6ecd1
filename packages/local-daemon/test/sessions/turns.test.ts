import { expect, test } from "vitest";
import { Harness } from "./harness.js";

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
