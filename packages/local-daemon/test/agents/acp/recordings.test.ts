import type { SessionNotification } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { type PlayedEvent, playRecording } from "./play-recording.js";
import { allRecordings, promptsOf } from "./recording.js";

const RECORDINGS = allRecordings().filter(({ scenario }) => !scenario.startsWith("v2-"));

describe.each(RECORDINGS)("$agent: $scenario", (recording) => {
  test("is played as turns of ours", async () => {
    const { events, turns } = await playRecording(recording);
    expect(turns.length).toBe(promptsOf(recording));
    expect(events.filter(({ kind }) => kind === "ended")).toHaveLength(turns.length);
    for (const turn of turns) {
      expect(turn.events.at(-1)?.kind).toBe("ended");
      expect(textOf(turn.events)).toBe(turn.agentText);
      expectWholeTools(turn.events);
      expectOneStart(turn.events);
      if (turn.wasCancelled) expect(endOf(turn.events)).toBe("cancelled");
    }
  });
});

test("there are recordings of eight agents", () => {
  expect(new Set(RECORDINGS.map(({ agent }) => agent)).size).toBe(8);
  expect(RECORDINGS.length).toBeGreaterThan(300);
});

function notifications(events: readonly PlayedEvent[]): SessionNotification[] {
  return events.flatMap((event) => (event.kind === "notification" ? [event.notification] : []));
}

function textOf(events: readonly PlayedEvent[]): string {
  return notifications(events)
    .flatMap(({ type, textDelta }) => (type === "assistant_text_delta" ? [textDelta] : []))
    .join("");
}

function endOf(events: readonly PlayedEvent[]): string | undefined {
  const last = events.at(-1);
  return last?.kind === "ended" ? last.end.reason : undefined;
}

/** Each tool is announced before anything else of it, and has exactly one result; its use stands in one message. */
function expectWholeTools(events: readonly PlayedEvent[]): void {
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

function expectOneStart(events: readonly PlayedEvent[]): void {
  const kinds = events.map((event) => (event.kind === "notification" ? event.notification.type : event.kind));
  expect(kinds.filter((kind) => kind === "started").length).toBeLessThanOrEqual(1);
  const users = notifications(events).filter(
    ({ type, message }) => type === "create_message" && (message as { role: string }).role === "user",
  );
  expect(users).toHaveLength(1);
}
