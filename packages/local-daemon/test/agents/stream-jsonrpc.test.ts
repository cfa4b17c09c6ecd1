import { describe, expect, test } from "vitest";
import {
  answer,
  base,
  completed,
  delta,
  dialogue,
  ownMessage,
  refuse,
  replay,
  send,
  state,
  states,
  tell,
  types,
} from "./stream-dialogue.js";

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

describe("what was seen of droid exec (docs/wire/agent-stdio.md#oddities)", () => {
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
      completed("completed"),
    );
    await expect(running.prompt("bad")).rejects.toMatchObject({ code: "INVALID_PARAMS" });
    await running.prompt("good");
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed" });
    expect(running.witness.of("ended")).toHaveLength(1);
  });
});
