import type { SessionNotification } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import type { DriverEvent } from "./driven-agent.js";
import { modelUpdates, type RecordedUpdate } from "./own-texts.js";
import { playRecording } from "./play-recording.js";
import { allRecordings, promptsOf } from "./recording.js";

const RECORDINGS = allRecordings().filter(({ scenario }) => !scenario.startsWith("v2-"));

describe.each(RECORDINGS)("$agent: $scenario", (recording) => {
  test("is played as turns of ours", async () => {
    const { events, turns } = await playRecording(recording);
    expect(turns.length).toBe(promptsOf(recording));
    expect(events.filter(({ kind }) => kind === "ended")).toHaveLength(turns.length);
    for (const turn of turns) {
      expect(turn.events.at(-1)?.kind).toBe("ended");
      expect(textOf(turn.events)).toBe(modelText(recording.agent, turn.updates));
      expectWholeTools(turn.events);
      expectOneStart(turn.events);
      if (turn.wasCancelled) expect(endOf(turn.events)).toBe("cancelled");
    }
  });
});

describe("a model stream that was cut", () => {
  test.each(["pi", "codex"])("of %s: the conversation has the text once", async (agent) => {
    const [turn] = (await played(agent, "model-cut")).turns;
    const retracted = notifications(turn?.events ?? []).filter(({ type }) => type === "assistant_message_retracted");
    expect(retracted).toHaveLength(1);
    expect(finalTexts(turn?.events ?? [])).toEqual(["This is one whole sentence that the model says."]);
    expect(endOf(turn?.events ?? [])).toBe("completed");
  });

  test("of an agent that says nothing of it: the text is as the agent told it", async () => {
    const [turn] = (await played("opencode", "model-cut")).turns;
    expect(finalTexts(turn?.events ?? [])).toEqual([
      "This is one whole sentThis is one whole sentence that the model says.",
    ]);
  });
});

describe("a model that failed as if all was well", () => {
  test.each([
    ["pi", "model-error-400"],
    ["pi", "model-error-500"],
    ["codex", "model-error-400"],
    ["codex", "model-error-500"],
    ["copilot", "model-error-400"],
    ["copilot", "model-error-500"],
    ["copilot", "model-cut"],
  ])("%s: %s is an error with a reason", async (agent, scenario) => {
    const [turn] = (await played(agent, scenario)).turns;
    const last = turn?.events.at(-1);
    expect(last).toMatchObject({ kind: "ended", end: { reason: "error", details: { message: expect.any(String) } } });
  });
});

test("there are recordings of eight agents", () => {
  expect(new Set(RECORDINGS.map(({ agent }) => agent)).size).toBe(8);
  expect(RECORDINGS.length).toBeGreaterThan(300);
});

function played(agent: string, scenario: string): ReturnType<typeof playRecording> {
  const recording = RECORDINGS.find((one) => one.agent === agent && one.scenario === scenario);
  if (recording === undefined) throw new Error(`There is no recording ${agent}/${scenario}`);
  return playRecording(recording);
}

/** The text that the agent's model wrote. */
function modelText(agent: string, updates: readonly RecordedUpdate[]): string {
  return modelUpdates(agent, updates)
    .filter(({ sessionUpdate }) => sessionUpdate === "agent_message_chunk")
    .map(({ content }) => (content as { text?: string }).text ?? "")
    .join("");
}

/** Texts of the assistant's messages that the conversation keeps. */
function finalTexts(events: readonly DriverEvent[]): string[] {
  return notifications(events).flatMap(({ type, message }) => {
    const { role, content } = (message ?? {}) as { role?: string; content?: { type: string; text?: string }[] };
    if (type !== "create_message" || role !== "assistant") return [];
    return (content ?? []).flatMap((block) => (block.type === "text" ? [block.text ?? ""] : []));
  });
}

function notifications(events: readonly DriverEvent[]): SessionNotification[] {
  return events.flatMap((event) => (event.kind === "notification" ? [event.notification] : []));
}

function textOf(events: readonly DriverEvent[]): string {
  return notifications(events)
    .flatMap(({ type, textDelta }) => (type === "assistant_text_delta" ? [textDelta] : []))
    .join("");
}

function endOf(events: readonly DriverEvent[]): string | undefined {
  const last = events.at(-1);
  return last?.kind === "ended" ? last.end.reason : undefined;
}

/** Each tool is announced before anything else of it, and has exactly one result; its use stands in one message. */
function expectWholeTools(events: readonly DriverEvent[]): void {
  const all = notifications(events);
  const ids = new Set(
    all.flatMap(({ type, toolUse }) => (type === "tool_call" ? [(toolUse as { id: string }).id] : [])),
  );
  const results = all.flatMap(({ type, toolUseId }) => (type === "tool_result" ? [toolUseId] : []));
  expect(results).toHaveLength(ids.size);
  expect(new Set(results)).toEqual(ids);
  const used = all.flatMap(({ type, message }) =>
    type === "create_message" ? (message as { content: { type: string; id?: string }[] }).content : [],
  );
  const usedIds = used.flatMap(({ type, id }) => (type === "tool_use" ? [id] : []));
  expect(usedIds).toHaveLength(ids.size);
  expect(new Set(usedIds)).toEqual(ids);
}

function expectOneStart(events: readonly DriverEvent[]): void {
  const kinds = events.map((event) => (event.kind === "notification" ? event.notification.type : event.kind));
  expect(kinds.filter((kind) => kind === "started").length).toBeLessThanOrEqual(1);
  const users = notifications(events).filter(
    ({ type, message }) => type === "create_message" && (message as { role: string }).role === "user",
  );
  expect(users).toHaveLength(1);
}
