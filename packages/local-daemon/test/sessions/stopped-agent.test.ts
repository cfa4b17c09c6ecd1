import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sessionId } from "@daemon-sdk/protocol";
import { expect, test, vi } from "vitest";
import { Harness } from "./harness.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a session holds nothing of an agent that was stopped: neither its process nor its pipes", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = new WeakRef(await harness.spawner.agentOf("s-1"));
  const session = harness.host.find(sessionId("s-1"));
  await session?.agent.stop();
  harness.spawner.agents.length = 0;
  await vi.waitFor(() => {
    collectGarbage();
    expect(agent.deref()).toBeUndefined();
  });
  expect(session?.agent.isOccupied).toBe(false);
});
