import type { FollowedEvent } from "@daemon-sdk/client";
import type { MessageBlock, SessionMessage } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { Transcript } from "../../src/model/index.js";

let seq = 0;

/** An event of the turn of `m1`. */
function event(fields: object): FollowedEvent {
  return { position: { epoch: 1, seq: seq++ }, turnId: "m1", ...fields } as unknown as FollowedEvent;
}

function message(id: string, role: "user" | "assistant", content: MessageBlock[]): SessionMessage {
  return { id, role, content, createdAt: 1, updatedAt: 1 };
}

const text = (words: string): MessageBlock => ({ type: "text", text: words });
const call = (id: string): MessageBlock => ({ type: "tool_use", id, name: "Read", input: { path: "a" } });
const result = (toolUseId: string): MessageBlock => ({ type: "tool_result", toolUseId, content: "42" });
const delta = (words: string, blockIndex = 0) =>
  event({ type: "assistant_text_delta", messageId: "a1", blockIndex, text: words });

const briefly = (transcript: Transcript) =>
  transcript.rows.map((row) => [row.kind, row.key, "text" in row ? row.text : "state" in row ? row.state : ""]);

test("deltas make one open row, which the whole message replaces", () => {
  const transcript = new Transcript();
  transcript.apply(delta("Good "));
  transcript.apply(delta("mor"));
  expect(transcript.rows).toMatchObject([{ kind: "text", key: "a1:0", text: "Good mor", isOpen: true }]);
  transcript.apply(
    event({ type: "assistant", message: message("a1", "assistant", [text("Good morning.")]), text: "" }),
  );
  expect(transcript.rows).toMatchObject([{ kind: "text", key: "a1:0", text: "Good morning.", isOpen: false }]);
});

test("a message that is read and followed at the same time stands there once", () => {
  const transcript = new Transcript();
  const whole = message("a1", "assistant", [text("Good morning.")]);
  transcript.apply(delta("Good morning."));
  transcript.addOlder([message("m1", "user", [text("Hello")]), whole]);
  transcript.apply(event({ type: "assistant", message: whole, text: "" }));
  // A delta that was sent before the message was read.
  transcript.apply(delta("Good "));
  expect(briefly(transcript)).toEqual([
    ["user", "m1", "Hello"],
    ["text", "a1:0", "Good morning."],
  ]);
});

test("a tool has one row from its call to its result, wherever the page of messages was cut", () => {
  const live = new Transcript();
  live.apply(event({ type: "tool_call", name: "Read", toolUse: call("t1") }));
  live.apply(event({ type: "tool_progress", toolUseId: "t1", toolName: "Read", content: "4", update: {} }));
  expect(live.rows).toMatchObject([{ kind: "tool", state: "running", output: "4" }]);
  live.apply(event({ type: "tool_result", toolUseId: "t1", toolName: "Read", content: "42", isError: false }));

  const read = new Transcript();
  read.addMessages([message("u1", "user", [result("t1")])]);
  read.addOlder([message("a1", "assistant", [call("t1")])]);
  const whole = { kind: "tool", key: "t1", name: "Read", input: { path: "a" }, state: "done", output: "42" };
  expect([live.rows, read.rows]).toEqual([[whole], [whole]]);
});

test("older messages come first, in their order", () => {
  const transcript = new Transcript();
  transcript.addMessages([message("a3", "assistant", [text("3")])]);
  transcript.addOlder([message("a1", "assistant", [text("1")]), message("a2", "assistant", [text("2")])]);
  transcript.apply(event({ type: "error", message: "4", errorType: "Error", timestamp: "" }));
  expect(transcript.rows.map((row) => ("text" in row ? row.text : ""))).toEqual(["1", "2", "3", "4"]);
});

test("a prompt waits until an event of its turn, and is taken back where it was not accepted", () => {
  const transcript = new Transcript();
  transcript.addPrompt("m1", "Do it.");
  transcript.addPrompt("m2", "Then this.");
  expect(transcript.rows).toMatchObject([{ isWaiting: true }, { isWaiting: true }]);
  transcript.apply(event({ type: "working_state_changed", state: "thinking" }));
  expect(transcript.rows).toMatchObject([{ isWaiting: false }, { isWaiting: true }]);
  transcript.dropPrompt("m2");
  expect(transcript.rows.map(({ key }) => key)).toEqual(["m1"]);
});

test("at the end of a turn nothing is open any more", () => {
  const transcript = new Transcript();
  transcript.apply(event({ type: "thinking_text_delta", messageId: "a0", blockIndex: 0, text: "Hm" }));
  transcript.apply(delta("Half a sen"));
  transcript.apply(event({ type: "tool_call", name: "Read", toolUse: call("t1") }));
  transcript.apply(event({ type: "result", messageId: "m1", subtype: "interrupted", durationMs: 5 }));
  expect(transcript.rows).toMatchObject([
    { kind: "thinking", isOpen: false },
    { kind: "text", isOpen: false },
    { kind: "tool", state: "failed" },
    { kind: "end", outcome: "interrupted" },
  ]);
});

test("what only the model gets is not shown, and a retracted message goes", () => {
  const transcript = new Transcript();
  transcript.addMessages([{ ...message("x", "user", [text("context")]), visibility: "llm_only" }]);
  transcript.apply(delta("wrong"));
  transcript.apply(event({ type: "assistant_message_retracted", messageId: "a1" }));
  expect(transcript.rows).toEqual([]);
});
