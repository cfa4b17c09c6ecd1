import { expect, test } from "vitest";
import { MemoryStore } from "../../src/storage/memory-store.js";
import type { FakeAgent } from "./fake-agent.js";
import { Harness, KEYS, type TestClient } from "./harness.js";

/** A promise that the test resolves. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Agents that are started from now on open their conversations once the gate is open. */
function holdStarts(harness: Harness): { open(): void } {
  const starts = gate();
  harness.spawner.onSpawn = (agent) => {
    agent.opening = starts.passed;
  };
  return starts;
}

const prompt = (client: TestClient, sessionId: string, messageId = `m-${sessionId}`) =>
  client.result("add_user_message", { sessionId, text: "Hi", messageId });

async function activities(client: TestClient): Promise<Record<string, string>> {
  const { sessions } = await client.result("list_opened_sessions", {});
  return Object.fromEntries(
    (sessions as { sessionId: string; activity: string }[]).map((s) => [s.sessionId, s.activity]),
  );
}

/** Sessions whose agents have ended, so that their next messages start some. */
async function restingSessions(harness: Harness, client: TestClient, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await client.createSession(id);
    const agent = await harness.spawner.agentOf(id);
    await agent.stop();
  }
}

test("a message whose agent waits for its start shows that, is notified of it, and runs in its turn", async () => {
  await using harness = await Harness.start({ limits: { agentStarts: 1 } });
  const client = await harness.connect();
  await restingSessions(harness, client, ["s-1", "s-2"]);
  const starts = holdStarts(harness);
  await prompt(client, "s-1");
  await harness.spawner.agentOf("s-1", 2);
  await prompt(client, "s-2");
  const notice = await client.notified({ type: "session_notice", code: "AGENTS_BUSY" });
  expect(await activities(client)).toEqual({ "s-1": "waiting-agent", "s-2": "waiting-agent" });
  expect(notice.message).toMatch(/waits to be started\. At most 1 start at a time \(limits\.agentStarts\)/);
  expect(client.notifications("s-1").filter(({ type }) => type === "session_notice")).toEqual([]);
  starts.open();
  const second = await harness.spawner.agentOf("s-2", 2);
  await second.prompted(1);
  second.end();
  expect(await client.turnEnd("m-s-2")).toMatchObject({ reason: "completed" });
});

test("a session whose agent cannot start in time exists without it, says so, and its message waits", async () => {
  await using harness = await Harness.start({ limits: { agentStarts: 1, agentWaitMs: 10 } });
  const client = await harness.connect();
  const starts = holdStarts(harness);
  client.send("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-1" });
  await harness.spawner.agentOf("s-1");
  const made = await client.createSession("s-2", { autonomyLevel: "low" });
  expect(made).toMatchObject({ sessionId: "s-2", settings: { autonomyLevel: "low" } });
  expect(harness.spawner.agents).toHaveLength(1);
  // A call for the agent is refused in time, and may be made again.
  expect((await client.call("list_skills", { sessionId: "s-2" })).error).toMatchObject({
    data: { code: "AGENTS_BUSY", retryable: true },
  });
  await prompt(client, "s-2");
  starts.open();
  const agent = await harness.spawner.agentOf("s-2");
  await agent.prompted(1);
  // What the answer could not hold.
  expect(await client.notified({ type: "settings_updated" })).toMatchObject({ settings: { modelId: "fake-1" } });
  const { settings } = await client.loadSession("s-2");
  expect(settings).toMatchObject({ modelId: "fake-1", autonomyLevel: "low" });
});

test("what comes before a start's turn may take longer than a start may wait for it", async () => {
  await using harness = await Harness.start({ limits: { agentStarts: 1, agentWaitMs: 1 } });
  const client = await harness.connect();
  const { rules, services } = harness.host;
  const startable = rules.startable.bind(rules);
  const checks = gate();
  rules.startable = async (row) => {
    await checks.passed;
    return startable(row);
  };
  // Called when the time of a start that waits is over.
  const isWaiting = services.live.isWaiting.bind(services.live);
  const [looks, over] = [[] as boolean[], gate()];
  services.live.isWaiting = (occupant) => {
    looks.push(isWaiting(occupant));
    if (looks.length === 2) over.open();
    return looks.at(-1) === true;
  };
  const starts = holdStarts(harness);
  const calls = new Map(
    ["s-1", "s-2"].map((sessionId) => [
      sessionId,
      client.call("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId }),
    ]),
  );
  await over.passed;
  // That of both is, and neither waited for its turn yet.
  expect(looks).toEqual([false, false]);
  checks.open();
  // Either may be the first one: both have looked at their directory.
  const agentOf = async (id: string) => ({ id, agent: await harness.spawner.agentOf(id) });
  const starting = await Promise.race([...calls.keys()].map(agentOf));
  // The time of the other one is over when it comes to wait.
  const waiting = starting.id === "s-1" ? "s-2" : "s-1";
  expect((await calls.get(waiting))?.error).toBeUndefined();
  expect(harness.spawner.agents).toEqual([starting.agent]);
  starts.open();
  expect((await calls.get(starting.id))?.error).toBeUndefined();
});

test("a session whose agent has never started is stored, and found after a restart", async () => {
  const store = new MemoryStore();
  {
    await using harness = await Harness.start({ store, limits: { agentStarts: 1, agentWaitMs: 10 } });
    const client = await harness.connect();
    holdStarts(harness);
    client.send("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-1" });
    await harness.spawner.agentOf("s-1");
    await client.createSession("s-2");
  }
  await using harness = await Harness.start({ store });
  const client = await harness.connect();
  expect(await client.loadSession("s-2")).toMatchObject({ cwd: "/" });
});

test("an idle agent makes room while its client is attached, and its next message starts it again", async () => {
  await using harness = await Harness.start({ limits: { liveAgents: 2 } });
  const client = await harness.connect();
  for (const id of ["s-1", "s-2", "s-3"]) await client.createSession(id);
  const [first, second, third] = harness.spawner.agents as [FakeAgent, FakeAgent, FakeAgent];
  expect([first.hasExited, second.hasExited, third.hasExited]).toEqual([true, false, false]);
  await client.notified({ type: "session_notice", code: "AGENTS_BUSY" });
  expect(client.notifications("s-1").map(({ type }) => type)).toEqual(["session_notice"]);
  await prompt(client, "s-1");
  const again = await harness.spawner.agentOf("s-1", 2);
  await again.prompted(1);
  again.end();
  await client.turnEnd("m-s-1");
  expect([second.hasExited, third.hasExited]).toEqual([true, false]);
});

test("an agent that works, asks or is called is not stopped for another", async () => {
  await using harness = await Harness.start({ limits: { liveAgents: 2 } });
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2");
  const [first, second] = harness.spawner.agents as [FakeAgent, FakeAgent];
  await prompt(client, "s-1");
  await first.prompted(1);
  const answered = gate();
  const answer = second.call.bind(second);
  second.call = (method, params) => answered.passed.then(() => answer(method, params));
  const call = client.result("list_skills", { sessionId: "s-2" });
  client.send("initialize_session", { token: "t", machineId: "m", cwd: "/", sessionId: "s-3" }, "third");
  await client.result("list_opened_sessions", {});
  expect([first.hasExited, second.hasExited]).toEqual([false, false]);
  answered.open();
  await call;
  await client.until(({ id }) => id === "third");
  expect([first.hasExited, second.hasExited]).toEqual([false, true]);
});

test("a message that is interrupted while its agent waits gives the start up, and the next one gets its own", async () => {
  await using harness = await Harness.start({ limits: { agentStarts: 1 } });
  const client = await harness.connect();
  await restingSessions(harness, client, ["s-1", "s-2"]);
  const starts = holdStarts(harness);
  await prompt(client, "s-1");
  await harness.spawner.agentOf("s-1", 2);
  await prompt(client, "s-2");
  await client.result("interrupt_session", { sessionId: "s-2" });
  expect(await client.turnEnd("m-s-2")).toMatchObject({ reason: "cancelled" });
  await prompt(client, "s-2", "m-next");
  starts.open();
  const agent = await harness.spawner.agentOf("s-2", 2);
  await agent.prompted(1);
  expect(agent.prompts[0]).toMatchObject({ messageId: "m-next" });
});

test("agents that are stopped to make room do not count as unstable", async () => {
  await using harness = await Harness.start({ limits: { liveAgents: 1, agentRestarts: 2 } });
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2");
  harness.spawner.onSpawn = (agent) => {
    agent.onPrompt = () => agent.end();
  };
  for (let round = 0; round < 4; round += 1) {
    for (const id of ["s-1", "s-2"]) {
      await prompt(client, id, `m-${id}-${round}`);
      expect(await client.turnEnd(`m-${id}-${round}`)).toMatchObject({ reason: "completed" });
    }
  }
});

test("a key has its own bound of agents, which the person does not feel", async () => {
  await using harness = await Harness.start({ limits: { liveAgentsPerKey: 1, agentWaitMs: 10 } });
  const keyed = harness.dial();
  await keyed.authenticate({ apiKey: KEYS[0] });
  const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
  await keyed.createSession(id(1));
  await prompt(keyed, id(1));
  await (harness.spawner.agents[0] as FakeAgent).prompted(1);
  await keyed.createSession(id(2));
  expect(harness.spawner.agents).toHaveLength(1);
  const person = await harness.connect();
  await person.createSession("s-1");
  // The answer may have come before the agent, as it does for every agent that takes longer than the wait.
  await harness.spawner.agentOf("s-1");
  expect(harness.spawner.agents).toHaveLength(2);
});

test("a message whose agent waits when the daemon stops is kept for the next daemon", async () => {
  const store = new MemoryStore();
  {
    await using harness = await Harness.start({ store, limits: { agentStarts: 1 } });
    const client = await harness.connect();
    await restingSessions(harness, client, ["s-1", "s-2"]);
    holdStarts(harness);
    await prompt(client, "s-1");
    await harness.spawner.agentOf("s-1", 2);
    await prompt(client, "s-2");
    await client.result("list_opened_sessions", {});
  }
  const turns = await store.openTurns();
  expect(turns.map(({ id, state }) => [id, state])).toEqual([
    ["m-s-1", "accepted"],
    ["m-s-2", "accepted"],
  ]);
});

test("a start that takes long is told with where it is, and a short one is not", async () => {
  await using harness = await Harness.start({ limits: { agentStarts: 1 } });
  const client = harness.dial();
  await client.authenticate();
  await restingSessions(harness, client, ["s-1", "s-2", "s-3"]);
  await prompt(client, "s-3");
  await (await harness.spawner.agentOf("s-3", 2)).prompted(1);
  const starts = holdStarts(harness);
  await prompt(client, "s-1");
  await prompt(client, "s-2");
  await client.notified({ type: "agent_state_changed", state: "starting" });
  await client.notified({ type: "agent_state_changed", state: "waiting" });
  starts.open();
  await client.notified({ type: "agent_state_changed", state: "ready" }, 2);
  const states = (id: string) =>
    client
      .notifications(id)
      .filter(({ type }) => type === "agent_state_changed")
      .map(({ state }) => state);
  expect(states("s-1")).toEqual(["starting", "ready"]);
  expect(states("s-2")).toEqual(["waiting", "starting", "ready"]);
  expect(states("s-3")).toEqual([]);
});

test("a start that fails after some time is told as failed", async () => {
  await using harness = await Harness.start();
  const client = harness.dial();
  await client.authenticate();
  await restingSessions(harness, client, ["s-1"]);
  holdStarts(harness);
  await prompt(client, "s-1");
  await client.notified({ type: "agent_state_changed", state: "starting" });
  (await harness.spawner.agentOf("s-1", 2)).die();
  await client.notified({ type: "agent_state_changed", state: "failed" });
  expect(await client.turnEnd("m-s-1")).toMatchObject({ reason: "agent_exited" });
});
