import { ProtocolError, SessionNotFoundError, sessionId } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { Harness } from "./harness.js";

const S = sessionId("s-1");

test("initialize with the same id again is the same session: one agent, no second start, also at the same time", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const [first, second] = await Promise.all([client.createSession("s-1"), client.createSession("s-1")]);
  expect(second.sessionId).toBe(first.sessionId);
  expect((await client.createSession("s-1")).sessionId).toBe("s-1");
  expect(harness.spawner.agents).toHaveLength(1);
});

test("a session without an id of the client's gets a UUID, and the chosen agent with the chosen settings", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  const result = await client.result("initialize_session", {
    token: "t",
    machineId: "m",
    cwd: "/tmp",
    agent: "other",
    autonomyLevel: "low",
    tags: [{ name: "sdk" }],
    mcpServers: [{ name: "x", command: "y", args: [] }],
  });
  expect(result.sessionId).toMatch(/^[0-9a-f-]{36}$/);
  const agent = await harness.spawner.agentOf(String(result.sessionId));
  expect(agent.spec.name).toBe("other");
  expect(agent.starts).toMatchObject([
    { cwd: "/tmp", settings: { autonomyLevel: "low" }, mcpServers: [{ name: "x", command: "y", args: [] }] },
  ]);
  expect(agent.starts[0]?.resume).toBeUndefined();
  expect(result).toMatchObject({ cwd: "/tmp", settings: { autonomyLevel: "low", modelId: "fake-1" } });
});

test("what an agent says while it opens is told after the answer that creates the session", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  harness.spawner.onSpawn = (agent) => {
    const open = agent.open.bind(agent);
    agent.open = (start) => {
      agent.tell({ type: "settings_updated", settings: { modelId: "early" } });
      return open(start);
    };
  };
  await client.createSession("s-1");
  await client.notified({ type: "settings_updated" });
  const answer = client.seen.findIndex(({ result }) => result?.sessionId === "s-1");
  const told = client.seen.findIndex(({ method }) => method === "daemon.session_notification");
  expect(answer).toBeLessThan(told);
});

test("close tells the others, ends the turn and what waits, stops the agent, and the session can be loaded again", async () => {
  await using harness = await Harness.start();
  const [closer, other] = [await harness.connect(), await harness.connect()];
  await closer.createSession("s-1");
  await other.loadSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (const id of ["m-1", "m-2"]) await closer.call("add_user_message", { sessionId: "s-1", text: id, messageId: id });
  await agent.prompted(1);
  agent.message("m-1", "user", "m-1");
  expect((await closer.call("close_session", { sessionId: "s-1", reason: "other" })).result).toEqual({});
  await other.notified({ type: "session_closed" });
  expect(other.types().slice(-6)).toEqual([
    "queued_messages_discarded",
    "agent_turn_completed",
    "state streaming_assistant_message",
    "agent_turn_completed",
    "state idle",
    "session_closed",
  ]);
  expect(closer.types()).not.toContain("session_closed");
  expect(await harness.store.openTurns()).toEqual([]);
  expect((await closer.call("list_opened_sessions", {})).result).toEqual({ sessions: [] });

  const again = await closer.loadSession("s-1");
  expect(again).toMatchObject({
    session: { messages: [{ id: "m-1" }] },
    isAgentLoopInProgress: false,
    workingState: "idle",
  });
  await closer.call("add_user_message", { sessionId: "s-1", text: "again", messageId: "m-3" });
  const next = await harness.spawner.agentOf("s-1", 2);
  await next.prompted(1);
  expect(agent.hasExited).toBe(true);
  expect(next.starts[0]?.resume).toBe("agent-s-1");
});

test("a loaded session starts its agent with the first prompt and not before", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.call("close_session", { sessionId: "s-1" });
  const loaded = await client.loadSession("s-1", { mcpServers: [{ name: "x", command: "y", args: [] }] });
  expect(loaded).toMatchObject({ cwd: "/", settings: { modelId: "fake-1" } });
  expect(harness.spawner.agents).toHaveLength(1);
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi" });
  const agent = await harness.spawner.agentOf("s-1", 2);
  await agent.prompted(1);
  expect(agent.starts[0]?.mcpServers).toEqual([{ name: "x", command: "y", args: [] }]);
});

test("settings, titles, usage and directories that the agent tells are kept with the session", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  const tokenUsage = { inputTokens: 1, outputTokens: 2, cacheCreationTokens: 0, cacheReadTokens: 0, thinkingTokens: 0 };
  agent.tell({ type: "settings_updated", settings: { modelId: "m-2" } });
  agent.tell({ type: "session_title_updated", title: "A title" });
  agent.tell({ type: "session_token_usage_changed", sessionId: "s-1", tokenUsage });
  agent.tell({ type: "tool_result", messageId: "a-1", toolUseId: "t-1", content: "out", isError: false });
  await client.notified({ type: "tool_result" });
  const loaded = await client.loadSession("s-1");
  expect(loaded).toMatchObject({ settings: { modelId: "m-2" }, tokenUsage, session: { title: "A title" } });
  expect(loaded).toMatchObject({
    session: { messages: [{ role: "tool", content: [{ type: "tool_result", toolUseId: "t-1", content: "out" }] }] },
  });
});

test("settings change with and without an agent, and the next agent starts with them", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("update_session_settings", { sessionId: "s-1", autonomyLevel: "high" });
  expect(agent.calls).toEqual([{ method: "update_session_settings", params: { autonomyLevel: "high" } }]);
  agent.die();
  const { id } = await client.call("update_session_settings", { sessionId: "s-1", modelId: "m-9" });
  await client.notified({ type: "settings_updated", requestId: id });
  await client.call("list_skills", { sessionId: "s-1" });
  const next = await harness.spawner.agentOf("s-1", 2);
  expect(next.starts[0]?.settings).toMatchObject({ autonomyLevel: "high", modelId: "m-9" });
});

test("rename works without an agent, is told with the request's id, and what the agent repeats is not told twice", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.onCall = (_method, { title }) => {
    agent.tell({ type: "session_title_updated", title });
    return {};
  };
  const { id, result } = await client.call("rename_session", { sessionId: "s-1", title: "New" });
  expect(result).toEqual({ success: true });
  await client.notified({ type: "session_title_updated", requestId: id, title: "New" });
  await client.call("close_session", { sessionId: "s-1" });
  await client.call("rename_session", { sessionId: "s-1", title: "Newer" });
  expect((await harness.store.readSession(S))?.title).toBe("Newer");
  expect(client.types().filter((type) => type === "session_title_updated")).toHaveLength(1);
});

test("archive and unarchive work on open and on stored sessions, and archiving again keeps the time", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const first = await client.result("archive_session", { sessionId: "s-1" });
  await client.call("close_session", { sessionId: "s-1" });
  const second = await client.result("archive_session", { sessionId: "s-1" });
  expect(second).toEqual(first);
  const { sessions } = await client.result("list_available_sessions", {});
  expect(sessions).toMatchObject([{ sessionId: "s-1", archivedAt: first.archivedAt }]);
  expect(await client.result("unarchive_session", { sessionId: "s-1" })).toEqual({ success: true });
  expect((await harness.store.readSession(S))?.archivedAt).toBeUndefined();
});

test("lists and search page through everything, and messages are read without loading", async () => {
  let now = 1_000_000;
  await using harness = await Harness.start({ now: () => now });
  const client = await harness.connect();
  for (const id of ["s-1", "s-2", "s-3"]) {
    now += 1_500;
    await client.createSession(id);
    const agent = await harness.spawner.agentOf(id);
    for (let n = 0; n < 5; n++)
      agent.message(`${id}-${n}`, n % 2 === 0 ? "user" : "assistant", `needle no${n} of ${id}`);
    await client.when(() => client.notifications(id).length === 5);
    await client.call("close_session", { sessionId: id });
  }
  const first = await client.result("list_available_sessions", { limit: 2 });
  expect(first).toMatchObject({
    hasMore: true,
    sessions: [{ sessionId: "s-3", messagesCount: 5 }, { sessionId: "s-2" }],
  });
  const rest = await client.result("list_available_sessions", { limit: 2, endBefore: first.nextCursor });
  expect(rest).toMatchObject({ hasMore: false, sessions: [{ sessionId: "s-1", cwd: "/" }] });

  const found = await client.result("search_sessions", { query: "needle no3", limitSessions: 2 });
  expect(found).toMatchObject({ query: "needle no3", sessions: [{ sessionId: "s-3" }, { sessionId: "s-2" }] });
  expect(found.sessions).toMatchObject([
    { hits: [{ docId: "s-3-3", kind: "message_text", messageRole: "assistant" }] },
    {},
  ]);

  const page = await client.result("get_session_messages", { sessionId: "s-1", limit: 3 });
  expect(page).toMatchObject({ hasMore: true, messages: [{ id: "s-1-2" }, { id: "s-1-3" }, { id: "s-1-4" }] });
  const older = await client.result("get_session_messages", { sessionId: "s-1", limit: 3, cursor: page.nextCursor });
  expect(older).toMatchObject({ hasMore: false, messages: [{ id: "s-1-0" }, { id: "s-1-1" }] });
  expect(harness.host.open).toEqual([]);
});

test("fork, compact and rewind are the agent's; what it made becomes a session with the conversation so far", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  for (const id of ["1", "2", "3", "4"]) agent.message(id, "user", id);
  await client.when(() => client.notifications().length === 4);
  agent.onCall = (method) => ({ newSessionId: `new-${method}`, removedCount: 3 });
  const ids = async (id: unknown) => {
    const { session } = (await client.loadSession(String(id))) as { session: { messages: { id: string }[] } };
    return session.messages.map((message) => message.id);
  };
  const fork = await client.result("fork_session", { sessionId: "s-1", title: "Fork" });
  expect(fork.newSessionId).toBe("new-fork_session");
  expect(await ids(fork.newSessionId)).toEqual(["1", "2", "3", "4"]);
  const compact = await client.result("compact_session", { sessionId: "s-1" });
  expect(compact).toMatchObject({ removedCount: 3 });
  expect(await ids(compact.newSessionId)).toEqual(["4"]);
  const rewind = { sessionId: "s-1", messageId: "3", filesToRestore: [], filesToDelete: [], forkTitle: "Back" };
  const rewound = await client.result("execute_rewind", rewind);
  expect(rewound).toMatchObject({ restoredCount: 0, failedDeleteCount: 0 });
  expect(await ids(rewound.newSessionId)).toEqual(["1", "2"]);
  expect((await harness.store.readSession(sessionId("new-execute_rewind")))?.title).toBe("Back");
  // The old one stays, and the new one's agent is asked for the new conversation.
  expect(await ids("s-1")).toEqual(["1", "2", "3", "4"]);
  await client.call("add_user_message", { sessionId: "new-fork_session", text: "go on" });
  const next = await harness.spawner.agentOf("new-fork_session");
  await next.prompted(1);
  expect(next.starts[0]?.resume).toBe("new-fork_session");
});

test("an agent cannot take over another session by the name of a new one", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2");
  (await harness.spawner.agentOf("s-1")).onCall = () => ({ newSessionId: "s-2" });
  const { error } = await client.call("fork_session", { sessionId: "s-1" });
  expect(error).toMatchObject({ code: -32603, data: { code: "INVALID_RESULT" } });
});

test("calls for the agent are passed on with its answer or its error, under our id of the session", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  agent.onCall = (method) => {
    if (method === "list_skills") return { skills: [], sessionId: "the agent's own" };
    const peerMessage = "No such file.";
    const message = `droid.list_files failed: ${peerMessage} (code -32602).`;
    throw new ProtocolError("REMOTE_ERROR", message, { rpcCode: -32602, data: { path: "x" }, peerMessage });
  };
  expect(await client.result("list_skills", { sessionId: "s-1" })).toEqual({ skills: [], sessionId: "s-1" });
  const { error } = await client.call("search_files", { sessionId: "s-1", showHidden: true });
  expect(error).toMatchObject({ code: -32602, message: "No such file.", data: { detail: { path: "x" } } });
  expect(agent.calls.at(-1)?.params).toMatchObject({ showHidden: true });
});

test("an agent that nobody uses is stopped, its session let go, and brought back when it is needed", async () => {
  let now = 1_000_000;
  await using harness = await Harness.start({ now: () => now, limits: { agentInactivityMs: 1_000 } });
  const client = await harness.connect();
  await client.createSession("s-1");
  await client.createSession("s-2", { disableInactivityTimeout: true });
  now += 2_000;
  harness.host.sweep();
  expect(harness.host.open).toHaveLength(2);
  for (const id of ["s-1", "s-2"]) await client.call("detach_session", { sessionId: id });
  harness.host.sweep();
  await harness.committer.drain();
  expect(harness.host.open.map(({ id }) => id)).toEqual(["s-2"]);
  await (await harness.spawner.agentOf("s-1")).exited;
  const { entries } = await harness.store.readEntries(S, 1, 1_000_000);
  expect(entries.at(-1)).toContain("session_inactivity");
  await client.loadSession("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi" });
  await (await harness.spawner.agentOf("s-1", 2)).prompted(1);
});

test("an agent that lost the conversation begins a new one, and the people who follow are told so", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const first = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Hi", messageId: "m-1" });
  await first.prompted(1);
  first.die();
  await client.turnEnd("m-1");
  harness.spawner.onSpawn = (agent) => {
    const open = agent.open.bind(agent);
    agent.open = (start) =>
      start.resume === undefined ? open(start) : Promise.reject(new SessionNotFoundError(String(start.resume)));
  };
  await client.call("add_user_message", { sessionId: "s-1", text: "Still there?", messageId: "m-2" });
  const second = await harness.spawner.agentOf("s-1", 2);
  await second.prompted(1);
  second.end();
  expect(await client.turnEnd("m-2")).toMatchObject({ reason: "completed" });
  const [message] = (await harness.store.readMessages(S, { limit: 9 })).messages;
  expect(message).toMatchObject({ role: "system", visibility: "user_only" });
  // Programs are notified within the turn.
  const types = client.types("s-1");
  const notice = await client.notified({ type: "session_notice", code: "CONVERSATION_LOST" });
  expect(notice.message).toContain("without remembering");
  expect(types.lastIndexOf("session_notice")).toBeLessThan(types.lastIndexOf("agent_turn_completed"));
});

test("the agent's own title is told even where it is the one the first message had given", async () => {
  await using harness = await Harness.start();
  const client = await harness.connect();
  await client.createSession("s-1");
  const agent = await harness.spawner.agentOf("s-1");
  await client.call("add_user_message", { sessionId: "s-1", text: "Fix the tests\nplease" });
  await agent.prompted(1);
  expect((await client.loadSession("s-1")).session).toMatchObject({ title: "Fix the tests" });
  agent.tell({ type: "session_title_updated", title: "Fix the tests" });
  await client.notified({ type: "session_title_updated", title: "Fix the tests" });
});
