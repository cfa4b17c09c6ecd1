import type { SessionNotification } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
// The package has no door to its schemas.
import {
  zInitializeRequest,
  zNewSessionRequest,
  zPromptRequest,
} from "../../../node_modules/@agentclientprotocol/sdk/dist/v2/schema/zod.gen.js";
import type { DriverEvent } from "./driven-agent.js";
import { modelUpdates, type RecordedUpdate } from "./own-texts.js";
import { playRecording } from "./play-recording.js";
import { allRecordings, promptsOf, type RecordedFrame } from "./recording.js";

const VERSION_2: Readonly<
  Record<string, typeof zInitializeRequest | typeof zPromptRequest | typeof zNewSessionRequest>
> = {
  initialize: zInitializeRequest,
  "session/new": zNewSessionRequest,
  "session/prompt": zPromptRequest,
};
const RECORDINGS = allRecordings();

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

describe("an agent that answers version 2", () => {
  test("plain: thinking, text, title, usage and commands are as it reported them", async () => {
    const { turns, events } = await played("codex", "v2-plain");
    const [turn] = turns;
    expect(textOf(turn?.events ?? [])).toBe("Hello from version two.");
    expect(ofType(turn?.events, "thinking_text_delta").map(({ textDelta }) => textDelta)).toEqual(["\n\n", "Hm."]);
    expect(ofType(turn?.events, "session_title_updated")).toHaveLength(1);
    expect(ofType(turn?.events, "context_usage_changed")).toMatchObject([{ usedTokens: 133, contextTokens: 258400 }]);
    const tokenUsage = { inputTokens: 106, outputTokens: 22, cacheReadTokens: 5, thinkingTokens: 3 };
    expect(turn?.events.at(-1)).toMatchObject({ end: { reason: "completed", details: { tokenUsage } } });
    expect(ofType(events, "commands_changed")[0]?.commands).toContainEqual({
      name: "mcp",
      description: "Show the status of the MCP servers, or reconnect them.",
      hint: "[reconnect]",
    });
  });

  test("permission: the command and the edit are shown, each tool ends, and both turns are whole", async () => {
    const { turns, written } = await played("codex", "v2-permission");
    const asked = turns.map(({ events }) => events.flatMap((event) => (event.kind === "request" ? [event] : [])));
    expect(asked.map((requests) => requests.map(({ request }) => request.params.toolUses))).toMatchObject([
      [[{ confirmationType: "exec", details: { fullCommand: "touch v2.txt", reason: "May I run this?" } }]],
      [[{ confirmationType: "edit", details: { oldContent: "hello\nworld\n", newContent: "hello\nthere\n" } }]],
    ]);
    const results = turns.map(({ events }) =>
      ofType(events, "tool_result").map(({ content, isError }) => [content, isError]),
    );
    expect(results).toEqual([
      [["", false]],
      [
        ["hello\nworld\n", false],
        ["", false],
      ],
    ]);
    expect(turns.map(({ events }) => finalTexts(events))).toEqual([["Ran."], ["Edited."]]);
    expect(turns.map(({ events }) => endOf(events))).toEqual(["completed", "completed"]);
    for (const frame of written) expectVersion2(frame);
    const outcomes = written.flatMap(({ result }) => (result as { outcome?: object } | undefined)?.outcome ?? []);
    expect(outcomes).toEqual([1, 2].map(() => ({ outcome: "selected", optionId: "allow_once" })));
  });

  test("cancel: the turn has what came until the agent was idle, and is cancelled", async () => {
    const [turn] = (await played("codex", "v2-cancel")).turns;
    const words = Array.from({ length: 174 }, (_, place) => `w${place} `).join("");
    expect(textOf(turn?.events ?? [])).toBe(words);
    expect(endOf(turn?.events ?? [])).toBe("cancelled");
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

/** The protocol's own schemas accept what the driver writes in version 2. */
function expectVersion2({ method, params }: RecordedFrame): void {
  const schema = method === undefined ? undefined : VERSION_2[method];
  if (schema !== undefined) expect(schema.safeParse(params).error).toBeUndefined();
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

function ofType(events: readonly DriverEvent[] | undefined, wanted: string): SessionNotification[] {
  return notifications(events ?? []).filter(({ type }) => type === wanted);
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
