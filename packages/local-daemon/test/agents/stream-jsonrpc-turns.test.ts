import { describe, expect, test } from "vitest";
import { misbehaving, openAgent } from "./agent-harness.js";
import {
  answer,
  completed,
  delta,
  dialogue,
  ownMessage,
  refuse,
  send,
  state,
  states,
  tell,
  types,
  unopened,
} from "./stream-dialogue.js";

const whole = (id: string) =>
  tell({
    type: "create_message",
    message: { id, role: "assistant", content: [{ type: "text", text: "x" }], createdAt: 1, updatedAt: 1 },
  });

describe("turns of agents that say less than the real one", () => {
  test("falling idle after a whole answer ends the turn where no agent_turn_completed comes", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      state("thinking"),
      delta("x"),
      whole("m"),
      state("idle"),
    );
    await running.prompt("hello");
    expect(await running.witness.turnEnd()).toEqual({ reason: "completed", details: {} });
    expect(states(running)).toEqual(["thinking"]);
  });

  test("falling idle in the middle of an answer is no success", async () => {
    await using running = await dialogue(send("p"), answer("p"), state("thinking"), delta("x"), state("idle"));
    await running.prompt("hello");
    expect(await running.witness.turnEnd()).toEqual({
      reason: "error",
      details: { code: "PROTOCOL_VIOLATION", message: expect.stringContaining("did not end the turn") },
    });
    expect(states(running)).toEqual(["thinking"]);
  });

  test("falling idle in the middle of an answer that goes on ends with the answer", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      state("thinking"),
      delta("x"),
      state("idle"),
      delta("y"),
      whole("m"),
      completed("completed"),
    );
    await running.prompt("hello");
    expect(await running.witness.turnEnd()).toMatchObject({ reason: "completed", details: { durationMs: 7 } });
    expect(running.witness.text).toBe("xy");
  });

  test("what comes of a turn that has ended enters no other turn, and is reported", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      state("thinking"),
      delta("first"),
      completed("cancelled"),
      delta(" late"),
      send("q"),
      answer("q"),
      ownMessage("q"),
      delta(" later"),
      state("thinking"),
      whole("m2"),
      completed("completed"),
    );
    await running.prompt("first");
    await running.witness.turnEnd();
    await running.prompt("second");
    expect(await running.witness.turnEnd(2)).toMatchObject({ reason: "completed" });
    expect(running.witness.text).toBe("first");
    expect(running.witness.of("fault").map(({ fault }) => fault)).toEqual([
      expect.objectContaining({ isLoss: false, message: expect.stringContaining("assistant_text_delta") }),
      expect.objectContaining({ isLoss: false }),
    ]);
  });

  test("an agent that only fell idle gives nothing to the next turn before it works on that", async () => {
    await using running = await dialogue(
      send("p"),
      answer("p"),
      state("thinking"),
      whole("m1"),
      state("idle"),
      send("q"),
      answer("q"),
      delta("late, of a new message"),
      ownMessage("q"),
      state("thinking"),
      whole("m2"),
      state("idle"),
    );
    await running.prompt("first");
    await running.witness.turnEnd();
    await running.prompt("second");
    expect(await running.witness.turnEnd(2)).toMatchObject({ reason: "completed" });
    expect(running.witness.text).toBe("");
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

  test("a resumed session keeps the id that the agent knows it by", async () => {
    await using running = await unopened(send("r1"), loaded({ modelId: "m", reasoningEffort: "none" }));
    const { sessionId, cwd } = running;
    const ready = await running.agent.open({ sessionId, cwd, settings: {}, resume: "agents-own" });
    expect(ready).toEqual({ agentSessionId: "agents-own", settings: { modelId: "m", reasoningEffort: "none" } });
  });

  test("a resumed agent gets the settings it does not have", async () => {
    await using running = await unopened(
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
    await using running = await unopened(send("r1"), refuse("r1", -32_004, "Session not found"));
    const { sessionId, cwd } = running;
    await expect(running.agent.open({ sessionId, cwd, settings: {}, resume: "x" })).rejects.toMatchObject({
      code: "SESSION_NOT_FOUND",
    });
  });

  test("an agent that keeps no conversations begins a new one", async () => {
    await using running = await unopened(
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
    expect(ready).toMatchObject({ agentSessionId: "fresh", hasForgotten: true });
  });

  test("an answer without settings is refused, and says what an agent must answer", async () => {
    await using running = await unopened(send("r1"), answer("r1", { sessionId: "s" }));
    const { sessionId, cwd } = running;
    await expect(running.agent.open({ sessionId, cwd, settings: {} })).rejects.toMatchObject({
      code: "INVALID_RESULT",
      message: expect.stringContaining("settings"),
    });
  });
});

describe("an agent that goes on in another conversation", () => {
  const under = (sessionId: string, notification: object) => {
    const { dir, json } = tell(notification);
    return { dir, json: { ...json, params: { sessionId, notification } } };
  };
  const busy = { type: "droid_working_state_changed", newState: "thinking" };

  test("is followed there once", async () => {
    await using running = await dialogue(send("p"), answer("p"), under("new-id", busy), under("new-id", busy));
    await running.prompt("go");
    await running.witness.until(() => running.witness.typed("droid_working_state_changed")[1]);
    expect(running.witness.of("conversation")).toEqual([{ kind: "conversation", agentSessionId: "new-id" }]);
  });

  test("is called under the new id", async () => {
    await using running = await openAgent({ command: misbehaving() });
    await running.prompt("handover new-id");
    await running.witness.until(() => running.witness.of("conversation")[0]);
    expect(await running.agent.call("list_skills", {}, 5_000)).toEqual({ echo: { sessionId: "new-id" } });
  });

  test("is not followed to a subagent's conversation, or to one that a call has made", async () => {
    await using running = await dialogue(
      ...[send("f"), answer("f", { newSessionId: "forked" }), send("p"), answer("p")],
      tell({ type: "child_session_available", childSessionId: "child", timestamp: 1 }),
      ...[under("child", busy), under("forked", busy)],
      under("stranger", { type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta: "x" }),
    );
    await running.agent.call("fork_session", {}, 5_000);
    await running.prompt("go");
    await running.witness.until(() => running.witness.typed("assistant_text_delta")[0]);
    expect(running.witness.of("conversation")).toEqual([]);
  });
});
