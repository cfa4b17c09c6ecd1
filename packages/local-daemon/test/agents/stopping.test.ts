import { ProcessExitError } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { Harness, type TestClient } from "../sessions/harness.js";

/** Turns of the event loop in which all that follows needs an agent and has it, with some to spare. */
const MOMENTS = Array.from({ length: 16 }, (_none, index) => index);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What makes a daemon start an agent, and what has to be there before. */
const STARTS: Record<
  string,
  { prepare?(harness: Harness, client: TestClient): Promise<void>; begin(client: TestClient): void }
> = {
  "a session that is being made": {
    begin: (client) =>
      void client.send("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-1" }),
  },
  "a call for an agent that has to be started": {
    prepare: withoutAgent,
    begin: (client) => void client.send("list_skills", { sessionId: "s-1" }),
  },
  "a message for an agent that has to be started": {
    prepare: withoutAgent,
    begin: (client) => void client.send("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" }),
  },
};

async function withoutAgent(harness: Harness, client: TestClient): Promise<void> {
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.die();
}

describe.each(Object.entries(STARTS))("a daemon that stops during %s", (_name, { prepare, begin }) => {
  test.each(MOMENTS)("leaves no agent behind, %i turns of the loop after it began", async (moment) => {
    await using harness = await Harness.start();
    const client = await harness.connect();
    await prepare?.(harness, client);
    begin(client);
    await turns(moment);
    await harness.host.drain(0);
    await harness.host.stop();
    const alive = () => harness.spawner.agents.filter(({ hasExited }) => !hasExited).length;
    expect(alive()).toBe(0);
    await turns(MOMENTS.length);
    expect(alive()).toBe(0);
  });
});

test("a daemon that stops does not wait for an agent that never answers", async () => {
  await using harness = await Harness.start();
  harness.spawner.onSpawn = (agent) => {
    agent.open = () =>
      agent.exited.then(() => {
        throw new ProcessExitError("It ended.", { exitCode: 0, signal: null });
      });
  };
  const client = await harness.connect();
  const id = client.send("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-1" });
  const agent = await harness.spawner.agentOf("s-1");
  await turns(1);
  await harness.host.stop();
  expect(agent.hasExited).toBe(true);
  const answer = await client.until((frame) => frame.type === "response" && frame.id === id);
  expect(answer.error).toBeDefined();
});
