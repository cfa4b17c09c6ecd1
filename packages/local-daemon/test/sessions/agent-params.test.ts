import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { FakeAgent } from "./fake-agent.js";
import { Harness, type TestClient } from "./harness.js";

const usage = (inputTokens: number) => ({
  inputTokens,
  outputTokens: inputTokens / 100,
  cacheCreationTokens: 0,
  cacheReadTokens: 0,
  thinkingTokens: 0,
});

/** Runs a turn in which the agent does what `work` says, and ends it. */
async function turn(client: TestClient, agent: FakeAgent, messageId: string, work: () => void, details = {}) {
  const count = agent.prompts.length;
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId });
  await agent.prompted(count + 1);
  work();
  agent.end("completed", details);
  return client.turnEnd(messageId);
}

test("an agent is asked for the settings that its client asked for, and for no others", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const { settings } = await client.createSession("s-1");
  // Clients of the original want both.
  expect(settings).toEqual({ modelId: "fake-1", reasoningEffort: "none" });
  const first = await harness.spawner.agentOf("s-1");
  expect(first.starts[0]).toEqual({ sessionId: "s-1", cwd: "/", settings: {} });
  await turn(client, first, "m-1", () => first.tell({ type: "settings_updated", settings: { modelId: "agents-own" } }));
  await client.call("update_session_settings", { sessionId: "s-1", interactionMode: "spec" });
  first.tell({ type: "settings_updated", settings: { interactionMode: "auto" } });
  first.die();
  await client.call("list_skills", { sessionId: "s-1" });
  const second = await harness.spawner.agentOf("s-1", 2);
  // As it is now: the agent has left the mode that was asked for.
  expect(second.starts[0]?.settings).toEqual({ interactionMode: "auto" });
});

test("what the daemon does not know of a new session goes to its agent, again at the next start, also after a restart", async () => {
  const store = new MemoryStore();
  const params = {
    systemPrompt: { type: "preset", preset: "droid", append: "Be brief." },
    autonomyMode: "auto-low",
    disableBuiltinSkills: true,
    sessionSource: { platform: "api" },
  };
  const mcpServers = [{ name: "x", command: "y", args: [], env: { TOKEN: "secret" } }];
  const wanted = { cwd: "/", settings: { autonomyLevel: "low" }, params, mcpServers };
  {
    await using harness = await Harness.start({ store });
    const client = await harness.connect();
    await client.createSession("s-1", { ...params, mcpServers, autonomyLevel: "low", inactivityTimeoutMs: 5_000 });
    const first = await harness.spawner.agentOf("s-1");
    expect(first.starts).toEqual([{ sessionId: "s-1", ...wanted }]);
    await turn(client, first, "m-1", () => {});
  }
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.loadSession("s-1");
  await client.call("list_skills", { sessionId: "s-1" });
  const next = await harness.spawner.agentOf("s-1");
  expect(next.starts).toEqual([{ sessionId: "s-1", resume: "agent-s-1", ...wanted }]);
});

test("params for the agent are refused past their bound, by name and number, and nothing is started", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const params = { token: "t", machineId: "m", cwd: "/", systemPrompt: "x".repeat(256 * 1024) };
  const { error } = await client.call("initialize_session", params);
  expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(/systemPrompt.* 262144 are the limit/) });
  expect(harness.spawner.agents).toEqual([]);
});

test("a setting that the daemon does not know is passed on, too", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.result("update_session_settings", { sessionId: "s-1", autonomyMode: "auto-low" });
  expect(agent.calls).toEqual([{ method: "update_session_settings", params: { autonomyMode: "auto-low" } }]);
  await agent.stop();
  await client.call("list_skills", { sessionId: "s-1" });
  const next = await harness.spawner.agentOf("s-1", 2);
  expect(next.starts[0]).toMatchObject({ settings: {}, params: { autonomyMode: "auto-low" } });
});

test("a session of an older daemon is not asked for a reasoning effort that nobody had asked for", async () => {
  const store = new MemoryStore();
  await store.open();
  const settings = { modelId: "m-1", reasoningEffort: "none", autonomyLevel: "low", agentsOwn: 1 };
  const times = { createdAt: 1, updatedAt: 1, archivedAt: undefined };
  const row = {
    id: "s-1",
    owner: undefined,
    agentSessionId: "own",
    agent: "fake",
    cwd: "/",
    title: undefined,
    tags: [],
  };
  await store.commit([
    { kind: "session", row: { ...row, ...times, settings, tokenUsage: undefined } as unknown as never },
  ]);
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  await client.call("list_skills", { sessionId: "s-1" });
  const agent = await harness.spawner.agentOf("s-1");
  expect(agent.starts[0]?.settings).toEqual({ modelId: "m-1", autonomyLevel: "low" });
});

test("an agent that goes on in another conversation of its own is started with that one", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await turn(client, agent, "m-1", () => agent.moveTo("after-the-plan"));
  agent.die();
  await client.call("list_skills", { sessionId: "s-1" });
  const next = await harness.spawner.agentOf("s-1", 2);
  expect(next.starts[0]?.resume).toBe("after-the-plan");
});

test("the end of a turn, and its receipt, state what the turn used, of an agent that reports its running total", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const total = (inputTokens: number) =>
    agent.tell({ type: "session_token_usage_changed", sessionId: "s-1", tokenUsage: usage(inputTokens) });
  const work =
    (...totals: number[]) =>
    () =>
      totals.forEach(total);
  expect(await turn(client, agent, "m-1", work(1_000, 2_000))).toMatchObject({ tokenUsage: usage(2_000) });
  expect(await turn(client, agent, "m-2", work(3_000, 4_000))).toMatchObject({ tokenUsage: usage(2_000) });
  expect(await turn(client, agent, "m-silent", work())).not.toHaveProperty("tokenUsage");
  // Its own count of the turn stands.
  const own = await turn(client, agent, "m-3", work(5_000), { tokenUsage: usage(700) });
  expect(own).toMatchObject({ tokenUsage: usage(700) });
  // It counts from the beginning again.
  expect(await turn(client, agent, "m-4", work(300))).toMatchObject({ tokenUsage: usage(300) });
  const messageIds = ["m-2", "m-silent", "m-3"];
  const { receipts } = await client.result("get_receipts", { sessionId: "s-1", messageIds });
  expect((receipts as { tokenUsage?: object }[]).map(({ tokenUsage }) => tokenUsage)).toEqual([
    usage(2_000),
    undefined,
    usage(700),
  ]);
  expect(await client.loadSession("s-1")).toMatchObject({ tokenUsage: usage(300) });
});
