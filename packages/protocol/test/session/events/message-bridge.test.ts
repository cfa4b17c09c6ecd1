import { expect, test } from "vitest";
import { type BridgedEvent, MessageBridge, type SessionNotification } from "../../../src/index.js";

function bridge(notifications: SessionNotification[], includePartialMessages = false): BridgedEvent[] {
  const bridge = new MessageBridge({ includePartialMessages });
  return notifications.flatMap((notification) => bridge.push(notification));
}

const message = (id: string, role: string, content: unknown[] = [{ type: "text", text: id }]): SessionNotification => ({
  type: "create_message",
  message: { id, role, content, createdAt: 1, updatedAt: 1 },
});
const toolUse = { type: "tool_use", id: "t-1", name: "Read", input: { path: "a" } };

test("a message that is told twice gives one event", () => {
  expect(bridge([message("m-1", "assistant"), message("m-1", "assistant"), message("m-2", "assistant")])).toMatchObject(
    [
      { type: "assistant", text: "m-1" },
      { type: "assistant", text: "m-2" },
    ],
  );
});

test("messages of tools and of the system give no event", () => {
  expect(bridge([message("m-1", "tool"), message("m-2", "system")], true)).toEqual([]);
});

test("a tool's second result, as an interrupt gives, is dropped; the first has the tool's name", () => {
  const result = { type: "tool_result", messageId: "m", toolUseId: "t-1" };
  expect(
    bridge([
      message("m-1", "assistant", [{ type: "text", text: "a" }, toolUse, { type: "text", text: "b" }]),
      { ...result, content: "first", isError: true },
      { ...result, content: "second" },
    ]),
  ).toMatchObject([
    { type: "tool_call", name: "Read", toolUse },
    { type: "assistant", text: "ab" },
    { type: "tool_result", toolUseId: "t-1", toolName: "Read", content: "first", isError: true },
  ]);
});

test("a tool result without content is an empty text, one of an unknown tool has no name", () => {
  expect(bridge([{ type: "tool_result", messageId: "m", toolUseId: "x" }])).toEqual([
    { type: "tool_result", toolUseId: "x", toolName: "", content: "", isError: false },
  ]);
});

test("a hook gives one event per command, started and completed", () => {
  const base = { hookId: "h", hookEventName: "Stop", hookMatcher: "*", hookToolCallId: "t" };
  const common = { type: "hook", hookId: "h", eventName: "Stop", matcher: "*", toolCallId: "t" };
  expect(
    bridge([
      { type: "hook_execution_started", ...base, hookCommands: [{ command: "a", timeout: 5 }, { command: "b" }] },
      {
        type: "hook_execution_completed",
        ...base,
        hookStatus: "error",
        hookResults: [{ exitCode: 1, stdout: "o", stderr: "e", command: "a" }],
      },
      { type: "hook_execution_completed", hookId: "h", hookStatus: "completed" },
    ]),
  ).toEqual([
    { ...common, status: "started", command: "a", timeout: 5 },
    { ...common, status: "started", command: "b" },
    { ...common, status: "error", exitCode: 1, stdout: "o", stderr: "e", command: "a" },
    { type: "hook", hookId: "h", status: "completed" },
  ]);
});

test("progress is told by its text, else its status, else its details", () => {
  const progress = (update: object) => ({ type: "tool_progress_update", toolUseId: "t", toolName: "Execute", update });
  const contents = bridge(
    [
      progress({ type: "message", text: "a", status: "b" }),
      progress({ type: "status", status: "b", details: "c" }),
      progress({ type: "status", details: "c" }),
      progress({ type: "status" }),
    ],
    true,
  ).map((event) => (event.type === "tool_progress" ? event.content : "?"));
  expect(contents).toEqual(["a", "b", "c", ""]);
});

test("times of the wire are milliseconds in events, and what is no time is left out", () => {
  const bridge = new MessageBridge({ includePartialMessages: true });
  const error = { type: "error", message: "no", errorType: "Error" };
  const at = (type: object, timestamp: string) =>
    bridge.push({ ...type, timestamp } as unknown as SessionNotification)[0];
  expect(at(error, "2026-01-01T00:00:00.5Z")).toEqual({ ...error, timestamp: 1_767_225_600_500 });
  expect(at(error, "soon")).toEqual(error);
  const heartbeat = { type: "mission_heartbeat" };
  expect(at(heartbeat, "2026-01-01T00:00:00Z")).toEqual({ ...heartbeat, timestamp: 1_767_225_600_000 });
});

test("a notice of the daemon is an event of its own, asked for or not", () => {
  const notice = { type: "session_notice", code: "STORAGE_FULL", message: "full", timestamp: 1 };
  expect(bridge([notice])).toEqual([notice]);
});

test("partial events are given only when they are asked for, under the stream's names", () => {
  const partial: SessionNotification[] = [
    { type: "droid_working_state_changed", newState: "thinking" },
    { type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta: "x" },
    { type: "tool_call", toolUse },
    { type: "llm_retry", attempt: 2, reason: "500" },
    { type: "session_title_updated", title: "T" },
  ];
  expect(bridge(partial)).toEqual([]);
  expect(bridge(partial, true)).toEqual([
    { type: "working_state_changed", state: "thinking" },
    { type: "assistant_text_delta", messageId: "m", blockIndex: 0, text: "x" },
    { type: "tool_call_delta", toolUse },
    { type: "llm_retry", attempt: 2, reason: "500" },
    { type: "session_title_updated", title: "T" },
  ]);
});

test("types of a newer daemon, and known ones with wrong fields, give no event and no error", () => {
  expect(
    bridge(
      [{ type: "from_the_future", x: 1 }, { type: "create_message" }, { type: "assistant_text_delta", textDelta: 7 }],
      true,
    ),
  ).toEqual([]);
});
