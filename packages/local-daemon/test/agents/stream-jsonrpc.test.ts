import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { fixture, openAgent, type Running, startAgent, tempDir, writeRecording } from "./agent-harness.js";

/** Drives a recording of the real agent: opens the session and hands over one prompt. */
async function replay(name: string): Promise<Running> {
  const running = await openAgent({
    command: [process.execPath, fixture("replay-agent.mjs"), fixture(`stream-jsonrpc/${name}.jsonl`)],
  });
  await running.prompt("as recorded");
  return running;
}

const base = { jsonrpc: "2.0", factoryApiVersion: "1.0.0" };
const send = (id: string) => ({ dir: "send", json: { type: "request", id } });
const answer = (id: string, result: object = {}) => ({ dir: "recv", json: { ...base, type: "response", id, result } });
const refuse = (id: string, code: number, message: string) => ({
  dir: "recv",
  json: { ...base, type: "response", id, error: { code, message } },
});
const tell = (notification: object) => ({
  dir: "recv",
  json: {
    ...base,
    type: "notification",
    method: "droid.session_notification",
    params: { sessionId: "own-id", notification },
  },
});
const state = (newState: string) => tell({ type: "droid_working_state_changed", newState });
const delta = (textDelta: string) => tell({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta });
const ownMessage = (id: string) =>
  tell({
    type: "create_message",
    message: { id: "u", role: "user", content: [], createdAt: 1, updatedAt: 1 },
    requestId: id,
  });
const completed = (reason: string, turnId = "u") =>
  tell({ type: "agent_turn_completed", reason, turnId, durationMs: 7 });
const opening = [
  send("r1"),
  answer("r1", { sessionId: "own-id", session: { messages: [] }, settings: { modelId: "m", reasoningEffort: "none" } }),
];
const end = { dir: "exit", code: 0 };

const directories: AsyncDisposable[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await directory[Symbol.asyncDispose]();
});

/** Drives a dialogue written here, in the form of the recordings; the session is open when this resolves. */
async function dialogue(...entries: object[]): Promise<Running> {
  const directory = await tempDir();
  directories.push(directory);
  const path = join(directory.path, "dialogue.jsonl");
  await writeRecording(path, [...opening, ...entries, end]);
  return openAgent({ command: [process.execPath, fixture("replay-agent.mjs"), path] });
}

/** `type` of every notification passed on, in order. */
const types = (running: Running) => running.witness.of("notification").map(({ notification }) => notification.type);
const states = (running: Running) =>
  running.witness.typed("droid_working_state_changed").map(({ newState }) => newState);

describe("recordings of the real agent", () => {
  test("hello: settings before the response, the turn's text, one start, one end, no idle of its own", async () => {
    await using running = await replay("hello");
    const turnEnd = await running.witness.turnEnd();
    expect(turnEnd).toMatchObject({ reason: "completed", details: { tokenUsage: { inputTokens: 200 } } });
    expect(turnEnd.details).not.toHaveProperty("turnId");
    expect(types(running).slice(0, 2)).toEqual(["mcp_status_changed", "settings_updated"]);
    expect(running.witness.text).toBe("Hello from the mock");
    expect(running.witness.of("started")).toHaveLength(1);
    expect(states(running)).not.toContain("idle");
    expect(types(running)).not.toContain("agent_turn_completed");
  });

  test("whatever session the agent names, or whether it names one, its notifications are the session's", async () => {
    await using running = await replay("hello");
    await running.witness.turnEnd();
    const [usage] = running.witness.typed("session_token_usage_changed");
    expect(usage).toMatchObject({ sessionId: running.sessionId, tokenUsage: { outputTokens: 40 } });
    expect(types(running)).toContain("settings_updated");
  });

  test("think: thinking and text arrive in order", async () => {
    await using running = await replay("think");
    await running.witness.turnEnd();
    const thought = running.witness.typed("thinking_text_delta").map(({ textDelta }) => textDelta);
    expect(thought.join("")).toBe("I am thinking");
    expect(types(running).indexOf("thinking_text_complete")).toBeLessThan(
      types(running).indexOf("assistant_text_delta"),
    );
  });

  test("tool-read: tool_call without a session id passes, twice, and its result", async () => {
    await using running = await replay("tool-read");
    await running.witness.turnEnd();
    const inputs = running.witness.typed("tool_call").map(({ toolUse }) => (toolUse as { input: object }).input);
    expect(inputs).toEqual([{}, { file_path: "/project/a.txt" }]);
    expect(running.witness.typed("tool_result")).toMatchObject([{ content: "file a", isError: false }]);
    expect(running.witness.typed("tool_execution_phase_changed").map(({ phase }) => phase)).toEqual([
      "queued",
      "executing",
    ]);
  });

  test("tool-permission-once: the request carries our session's id, is answered once, and the turn goes on", async () => {
    await using running = await replay("tool-permission-once");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    expect(request).toMatchObject({ method: "request_permission", params: { sessionId: running.sessionId } });
    request.respond({ selectedOption: "proceed_once" });
    request.respond({ selectedOption: "cancel" });
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    expect(running.witness.typed("permission_resolved")).toMatchObject([{ selectedOption: "proceed_once" }]);
    expect(running.witness.of("request")).toHaveLength(1);
  });

  test("tool-permission-cancel: an error result, and the turn ends as completed", async () => {
    await using running = await replay("tool-permission-cancel");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    request.respond({ selectedOption: "cancel" });
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    expect(running.witness.typed("tool_result")).toMatchObject([{ isError: true }]);
  });

  test("interrupt: its response comes after the messages about it, the turn ends as cancelled, and the next one works", async () => {
    await using running = await replay("interrupt");
    await running.witness.until(() => (running.witness.typed("assistant_text_delta").length >= 8 ? true : undefined));
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    const texts = running.witness.typed("create_message").map(({ message }) => JSON.stringify(message));
    expect(texts.filter((text) => text.includes("Request cancelled by user"))).toHaveLength(1);
    expect(types(running)).not.toContain("assistant_text_complete");

    await running.prompt("again");
    expect(await running.witness.turnEnd(2)).toMatchObject({ reason: "completed" });
    expect(running.witness.of("started")).toHaveLength(2);
  });

  test("fail401: the refused key is a notification and the reason of the end", async () => {
    await using running = await replay("fail401");
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "model_authentication_failed" });
    expect(types(running)).toContain("error");
  });

  test("multi-turn: every turn has one start and one end, and idles between them are not ends of the next", async () => {
    await using running = await replay("multi-turn");
    await running.witness.turnEnd(1);
    await running.prompt("second");
    await running.witness.turnEnd(2);
    await running.prompt("third");
    expect(await running.witness.turnEnd(3)).toMatchObject({ reason: "completed" });
    await running.agent.stop();
    expect(running.witness.of("ended")).toHaveLength(3);
    expect(running.witness.of("started")).toHaveLength(3);
    expect(running.agent.counters).toEqual({ badLines: 0, badFrames: 0, strayResponses: 0 });
  });
});

describe("what the agent spec says was seen", () => {
  test("a second response for one prompt ends its turn as an error: no other end would come", async () => {
    await using running = await dialogue(send("p"), answer("p"), refuse("p", -32_603, "No active session"));
    await running.prompt("hello");
    expect(await running.witness.turnEnd()).toEqual({
      reason: "error",
      details: { message: "No active session", rpcCode: -32_603 },
    });
    expect(running.agent.counters.strayResponses).toBe(1);
  });

  test("types and keys beyond the published schema pass untouched", async () => {
    const strange = { type: "assistant_message_retracted", messageId: "m", why: { deep: [1] } };
    const retry = { type: "llm_retry", attempt: 3, reason: "500" };
    await using running = await dialogue(
      send("p"),
      answer("p"),
      ownMessage("p"),
      tell(strange),
      tell(retry),
      completed("tomorrow"),
    );
    await running.prompt("hello");
    expect(await running.witness.turnEnd()).toEqual({ reason: "tomorrow", details: { durationMs: 7 } });
    expect(running.witness.typed(strange.type)).toEqual([strange]);
    expect(running.witness.typed(retry.type)).toEqual([retry]);
  });

  test("idle because stdin ended, in mid-turn, is not the turn's end", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      ownMessage("p"),
      state("thinking"),
      delta("on"),
      { dir: "stdin-end" },
      state("idle"),
      delta(" and on"),
    );
    await running.prompt("hello");
    await running.witness.until(() => running.witness.text || undefined);
    await running.agent.stop();
    expect(running.witness.text).toBe("on and on");
    expect(running.witness.of("ended").map(({ end }) => end.reason)).toEqual(["agent_exited"]);
    expect(states(running)).toEqual(["thinking"]);
  });

  test("an interrupt while idle resolves, and tells nothing", async () => {
    await using running = await dialogue(send("i"), answer("i"));
    const before = running.witness.told.length;
    await running.agent.interrupt();
    expect(running.witness.told).toHaveLength(before);
  });

  test("an interrupt with a permission pending: cancel, and two results for one tool use, pass", async () => {
    const ask = {
      ...base,
      type: "request",
      id: "perm",
      method: "droid.request_permission",
      params: { toolUses: [], options: [] },
    };
    const result = { type: "tool_result", toolUseId: "t", messageId: "m", content: "cancelled", isError: true };
    await using running = await dialogue(
      send("p"),
      answer("p"),
      ownMessage("p"),
      state("waiting_for_tool_confirmation"),
      { dir: "recv", json: ask },
      send("i"),
      tell({ type: "permission_resolved", requestId: "perm", toolUseIds: [], selectedOption: "cancel" }),
      tell(result),
      tell(result),
      answer("i"),
      completed("cancelled"),
      state("idle"),
    );
    await running.prompt("hello");
    const { request } = await running.witness.until(() => running.witness.of("request")[0]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "cancelled" });
    expect(running.witness.typed("tool_result")).toHaveLength(2);
    expect(() => request.respond({ selectedOption: "proceed_once" })).not.toThrow();
  });

  test("a prompt that the agent had queued and an interrupt discarded ends as cancelled", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      send("i"),
      tell({ type: "queued_messages_discarded", text: "hello", requestId: "p" }),
      answer("i"),
    );
    await running.prompt("hello");
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toEqual({ reason: "cancelled", details: {} });
    expect(types(running)).toContain("queued_messages_discarded");
  });

  test("retries of the model say nothing about the turn's end, however many there are", async () => {
    const retries = [1, 2, 3, 4, 5, 6].map((attempt) => tell({ type: "llm_retry", attempt, reason: "500" }));
    await using running = await dialogue(send("p"), answer("p"), ownMessage("p"), state("thinking"), ...retries);
    await running.prompt("hello");
    await running.witness.until(() => (running.witness.typed("llm_retry").length === 6 ? true : undefined));
    expect(running.witness.of("ended")).toEqual([]);
  });

  test.each([
    [-32_601, "METHOD_NOT_FOUND"],
    [-32_602, "INVALID_PARAMS"],
    [-32_603, "REMOTE_ERROR"],
    [-32_004, "SESSION_NOT_FOUND"],
    [-32_042, "REMOTE_ERROR"],
  ])("error %i of a call rejects it as %s, and the agent works on", async (rpcCode, code) => {
    await using running = await dialogue(send("c"), refuse("c", rpcCode, "no"), send("d"), answer("d", { fine: true }));
    await expect(running.agent.call("list_skills", {}, 5_000)).rejects.toMatchObject({ code });
    expect(await running.agent.call("list_skills", {}, 5_000)).toEqual({ fine: true });
  });

  test("a refused prompt rejects and has no turn; the next one is taken", async () => {
    await using running = await dialogue(
      send("p"),
      refuse("p", -32_602, "no"),
      send("q"),
      answer("q"),
      ownMessage("q"),
      state("thinking"),
      state("idle"),
    );
    await expect(running.prompt("bad")).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    await running.prompt("good");
    expect(await running.witness.turnEnd()).toEqual({ reason: "completed", details: {} });
    expect(running.witness.of("ended")).toHaveLength(1);
  });
});

describe("turns of agents that say less than the real one", () => {
  test("falling idle ends the turn where no agent_turn_completed comes", async () => {
    await using running = await dialogue(send("p"), answer("p"), state("thinking"), delta("x"), state("idle"));
    await running.prompt("hello");
    expect(await running.witness.turnEnd()).toEqual({ reason: "completed", details: {} });
    expect(states(running)).toEqual(["thinking"]);
  });

  test("falling idle after an interrupt ends it as cancelled", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      state("thinking"),
      send("i"),
      answer("i"),
      state("idle"),
    );
    await running.prompt("hello");
    await running.witness.until(() => running.witness.of("started")[0]);
    await running.agent.interrupt();
    expect(await running.witness.turnEnd()).toEqual({ reason: "cancelled", details: {} });
  });

  test("an acknowledgement that comes after the end still gives one turn with one end", async () => {
    await using running = await dialogue(
      send("p"),
      ownMessage("p"),
      state("thinking"),
      completed("completed"),
      answer("p"),
    );
    await running.prompt("hello");
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    expect(running.witness.told.map(({ kind }) => kind).slice(-2)).toEqual(["started", "ended"]);
  });

  test("the completion of an earlier turn, come late, does not end the next one", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      ownMessage("p"),
      state("thinking"),
      state("idle"),
      send("q"),
      answer("q"),
      completed("completed"),
      state("idle"),
      ownMessage("q"),
      state("thinking"),
      delta("second"),
    );
    await running.prompt("first");
    await running.witness.turnEnd();
    await running.prompt("second");
    await running.witness.until(() => running.witness.text || undefined);
    expect(types(running)).not.toContain("agent_turn_completed");
    expect(running.witness.of("ended")).toHaveLength(1);
  });

  test("a message without a turn (skipAgentLoop) ends when it is shown, after it", async () => {
    await using running = await dialogue(send("p"), answer("p"), ownMessage("p"));
    await running.prompt("note this", { skipAgentLoop: true });
    await running.witness.turnEnd();
    const kinds = running.witness.told.map((one) => (one.kind === "notification" ? one.notification.type : one.kind));
    expect(kinds.slice(-3)).toEqual(["create_message", "started", "ended"]);
  });

  test("states outside a turn pass, idle included: compaction has no turn", async () => {
    await using running = await dialogue(
      send("c"),
      state("compacting_conversation"),
      state("idle"),
      state("idle"),
      answer("c", { newSessionId: "n", removedCount: 1 }),
    );
    expect(await running.agent.call("compact_session", {}, 5_000)).toEqual({ newSessionId: "n", removedCount: 1 });
    expect(states(running)).toEqual(["compacting_conversation", "idle"]);
  });

  test("one prompt at a time: a second one is refused on this side", async () => {
    await using running = await dialogue(send("p"), answer("p"), ownMessage("p"));
    await running.prompt("first");
    await expect(running.prompt("second")).rejects.toMatchObject({ code: "SESSION_STATE" });
  });
});

describe("opening", () => {
  const loaded = (settings: object) => answer("r1", { session: { messages: [] }, settings });

  async function resumed(...entries: object[]): Promise<Running> {
    const directory = await tempDir();
    directories.push(directory);
    const path = join(directory.path, "dialogue.jsonl");
    await writeRecording(path, [...entries, end]);
    return startAgent({ command: [process.execPath, fixture("replay-agent.mjs"), path] });
  }

  test("a resumed session keeps the id that the agent knows it by", async () => {
    await using running = await resumed(send("r1"), loaded({ modelId: "m", reasoningEffort: "none" }));
    const { sessionId, cwd } = running;
    const ready = await running.agent.open({ sessionId, cwd, settings: {}, resume: "agents-own" });
    expect(ready).toEqual({ agentSessionId: "agents-own", settings: { modelId: "m", reasoningEffort: "none" } });
  });

  test("a resumed agent gets the settings it does not have", async () => {
    await using running = await resumed(
      send("r1"),
      loaded({ modelId: "m", reasoningEffort: "none", autonomyLevel: "high" }),
      send("u"),
      answer("u"),
    );
    const { sessionId, cwd } = running;
    const ready = await running.agent.open({
      sessionId,
      cwd,
      settings: { modelId: "m", autonomyLevel: "off" },
      resume: "x",
    });
    expect(ready.settings).toMatchObject({ modelId: "m", autonomyLevel: "off" });
  });

  test("an unknown conversation rejects as SESSION_NOT_FOUND", async () => {
    await using running = await resumed(send("r1"), refuse("r1", -32_004, "Session not found"));
    const { sessionId, cwd } = running;
    await expect(running.agent.open({ sessionId, cwd, settings: {}, resume: "x" })).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
  });

  test("an agent that keeps no conversations begins a new one", async () => {
    await using running = await resumed(
      send("r1"),
      refuse("r1", -32_601, "Method not found"),
      send("r2"),
      answer("r2", {
        sessionId: "fresh",
        session: { messages: [] },
        settings: { modelId: "m", reasoningEffort: "none" },
      }),
    );
    const { sessionId, cwd } = running;
    const ready = await running.agent.open({ sessionId, cwd, settings: {}, resume: "agents-own" });
    expect(ready.agentSessionId).toBe("fresh");
  });

  test("an answer without settings is refused, and says what an agent must answer", async () => {
    await using running = await resumed(send("r1"), answer("r1", { sessionId: "s" }));
    const { sessionId, cwd } = running;
    await expect(running.agent.open({ sessionId, cwd, settings: {} })).rejects.toMatchObject({
      code: "INVALID_RESULT",
      message: expect.stringContaining("settings"),
    });
  });
});
