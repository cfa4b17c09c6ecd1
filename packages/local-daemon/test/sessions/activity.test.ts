import { LIMITS } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { Harness } from "./harness.js";

test("the list of open sessions tells what each of them waits for", async () => {
  let now = 1_000_000;
  await using harness = await Harness.start({ now: () => now });
  const client = await harness.connect();
  await client.createSession("s-1");
  const activity = async () => {
    const { sessions } = await client.result("list_opened_sessions", {});
    return (sessions as { activity: string }[]).map((row) => row.activity).join();
  };
  const agent = await harness.spawner.agentOf("s-1");
  now += LIMITS.stalledMs;
  expect(await activity()).toBe("idle");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await agent.prompted(1);
  agent.state("streaming_assistant_message");
  expect(await activity()).toBe("waiting-model");
  agent.state("executing_tool");
  expect(await activity()).toBe("waiting-tool");
  now += LIMITS.stalledMs;
  expect(await activity()).toBe("stalled");
  // A sign of life that clients are not told of.
  agent.tell({ type: "tool_execution_heartbeat", toolUseId: "t", toolName: "x" });
  expect(await activity()).toBe("waiting-tool");
  agent.ask("ask_user", { toolCallId: "t", questions: [] });
  now += LIMITS.stalledMs;
  expect(await activity()).toBe("waiting-you");
  agent.end();
  await client.turnEnd("m-1");
  expect(await activity()).toBe("idle");
  agent.die();
  expect(await activity()).toBe("idle");
});
