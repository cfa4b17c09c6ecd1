import { readFileSync } from "node:fs";
import { METHODS, type MethodPrefix, ProtocolEngine, type SessionNotification } from "@daemon-sdk/protocol";
import { memoryTransport } from "@daemon-sdk/testing";
import { describe, expect, test } from "vitest";
import type { DroidStreamEvent } from "../../src/index.js";
import { MessageBridge, StreamStateTracker } from "../../src/index.js";

/** One line of a recording of `droid exec` (docs/wire/agent-stdio.md#a-plain-turn). */
interface Recorded {
  dir: "spawn" | "send" | "recv" | "exit";
  json: Record<string, unknown> & { id?: string; method?: string; params?: Record<string, unknown> };
}

/** A prompt of the recording, and the turn it started: its message is the one that repeats the request's id. */
interface RecordedTurn {
  requestId: string;
  messageId: string;
}

const SESSION = "s-1";

function recording(name: string): Recorded[] {
  const text = readFileSync(new URL(`../fixtures/${name}.jsonl`, import.meta.url), "utf8");
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Recorded);
}

/** The frames as they come over a socket: other prefix, and the session's id everywhere, as a daemon adds it. */
function asFrame({ json }: Recorded, prefix: MethodPrefix): string {
  const frame = structuredClone(json);
  if (frame.method !== undefined) frame.method = frame.method.replace(/^droid\./, `${prefix}.`);
  if (prefix === "daemon" && frame.params !== undefined) frame.params.sessionId = SESSION;
  return JSON.stringify(frame);
}

function turnsOf(lines: Recorded[]): RecordedTurn[] {
  return lines
    .filter(({ dir, json }) => dir === "send" && json.method === "droid.add_user_message")
    .map(({ json }) => {
      const shown = lines
        .map((line) => (line.json?.params?.notification ?? {}) as SessionNotification)
        .find(({ requestId }) => requestId === json.id);
      return { requestId: json.id as string, messageId: (shown as unknown as { message: { id: string } }).message.id };
    });
}

/** Plays a recording through engine, bridge and tracker, turn by turn. */
async function play(name: string, prefix: MethodPrefix, turns: boolean): Promise<DroidStreamEvent[][]> {
  const lines = recording(name);
  const { near, far } = memoryTransport();
  const engine = new ProtocolEngine(near, { prefix });
  const waiting = turnsOf(lines);
  const played: DroidStreamEvent[][] = [];
  const results: Promise<void>[] = [];
  let current: { bridge: MessageBridge; tracker: StreamStateTracker; events: DroidStreamEvent[] } | undefined;
  engine.onNotification = ({ params }) => {
    const turn = current;
    if (turn === undefined) return;
    const notification = params.notification as SessionNotification;
    const events = turn.bridge.push(notification);
    turn.events.push(...events);
    if (!turn.tracker.observe(notification, events)) return;
    current = undefined;
    results.push(turn.tracker.result().then((result) => void turn.events.push(result)));
  };
  engine.onRequest = () => ({ selectedOption: "proceed_once" });
  for (const line of lines) {
    if (line.dir === "send" && line.json.method === "droid.add_user_message") {
      const { requestId, messageId } = waiting.shift() as RecordedTurn;
      const events: DroidStreamEvent[] = [];
      played.push(events);
      const tracker = new StreamStateTracker({ sessionId: SESSION, messageId, requestId, turns, now: () => 0 });
      current = { bridge: new MessageBridge({ includePartialMessages: true }), tracker, events };
      engine.request(METHODS.addUserMessage, { sessionId: SESSION, text: "" }, { id: requestId }).catch(() => {});
    }
    if (line.dir !== "recv") continue;
    far.send(asFrame(line, prefix));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(results);
  return played;
}

const NAMES = [
  "hello",
  "think",
  "tool-read",
  "tool-permission-once",
  "tool-permission-cancel",
  "multi-turn",
  "interrupt",
  "fail401",
];

describe.each(NAMES)("the recording %s", (name) => {
  test("gives the same events over an agent's stdio and over a daemon's socket", async () => {
    const [stdio, socket] = [await play(name, "droid", false), await play(name, "daemon", false)];
    expect(stdio.length).toBeGreaterThan(0);
    expect(socket).toEqual(stdio);
  });

  test("gives the same events whether the end of a turn is told or inferred", async () => {
    expect(await play(name, "daemon", true)).toEqual(await play(name, "daemon", false));
  });

  test("ends each turn with exactly one result, last", async () => {
    for (const events of await play(name, "droid", false)) {
      expect(events.filter(({ type }) => type === "result")).toHaveLength(1);
      expect(events.at(-1)?.type).toBe("result");
    }
  });
});

test("a plain turn", async () => {
  const [events] = await play("hello", "droid", false);
  const deltas = (events ?? []).filter((event) => event.type === "assistant_text_delta");
  expect(deltas.map(({ text }) => text).join("")).toBe("Hello from the mock");
  expect(events?.at(-1)).toMatchObject({ subtype: "success", reason: "completed", text: "Hello from the mock" });
});

test("thinking comes as its own deltas and is no part of the text", async () => {
  const [events] = await play("think", "droid", false);
  const thoughts = (events ?? []).filter((event) => event.type === "thinking_text_delta");
  expect(thoughts.map(({ text }) => text).join("")).toBe("I am thinking");
  expect(events?.at(-1)).toMatchObject({ text: "The answer" });
});

test("a tool: its call before the message that holds it, its result with its name, its permission resolved", async () => {
  const [events = []] = await play("tool-permission-once", "droid", false);
  const types = events.map(({ type }) => type);
  expect(types.indexOf("tool_call")).toBe(types.indexOf("assistant") - 1);
  expect(events.find(({ type }) => type === "tool_call")).toMatchObject({
    name: "Execute",
    toolUse: { input: { riskLevel: expect.anything() } },
  });
  expect(events.find(({ type }) => type === "tool_result")).toMatchObject({ toolName: "Execute", isError: false });
  expect(types.indexOf("permission_resolved")).toBeLessThan(types.indexOf("tool_result"));
  expect(events.at(-1)).toMatchObject({ subtype: "success", text: "Tool done." });
});

test("a refused permission is an errored tool result in a turn that completed", async () => {
  const [events = []] = await play("tool-permission-cancel", "droid", false);
  expect(events.find(({ type }) => type === "tool_result")).toMatchObject({ isError: true });
  expect(events.at(-1)).toMatchObject({ subtype: "success", reason: "completed" });
});

test("an interrupted turn says so, keeps its text, and the next one is clean", async () => {
  const [cut = [], next = []] = await play("interrupt", "droid", false);
  expect(cut.at(-1)).toMatchObject({
    subtype: "interrupted",
    reason: "cancelled",
    text: expect.stringMatching(/^tick0 /),
  });
  expect(next.at(-1)).toMatchObject({ subtype: "success", text: "Hello from the mock" });
  expect(JSON.stringify(next)).not.toContain("tick");
});

test("a model that refuses the key gives the agent's error", async () => {
  const [events = []] = await play("fail401", "droid", false);
  expect(events.at(-1)).toMatchObject({
    subtype: "error_during_execution",
    reason: "model_authentication_failed",
    error: { message: "401 mock fail401" },
  });
});
