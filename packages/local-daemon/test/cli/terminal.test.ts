import type { SessionNotification } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { TurnPrinter } from "../../src/cli/sessions/turn-printer.js";
import { printable, type Terminal } from "../../src/cli/terminal.js";

test("control characters are taken out of what a terminal is shown, tabs and newlines are not", () => {
  expect(printable("a\u001b[2Jb\u009b31mc\r\u0007\td\n")).toBe("a[2Jb31mc\td\n");
});

function printed(notifications: SessionNotification[]): { answer: string; notes: string[] } {
  let answer = "";
  const notes: string[] = [];
  const terminal: Terminal = {
    answer: (text) => {
      answer += text;
    },
    note: (line) => notes.push(line),
    json: () => {},
    progress: () => ({ [Symbol.dispose]: () => {} }),
    isInteractive: false,
    columns: undefined,
  };
  const printer = new TurnPrinter(terminal);
  for (const notification of notifications) printer.print(notification);
  return { answer, notes };
}

const delta = (textDelta: string) => ({ type: "assistant_text_delta", messageId: "m", blockIndex: 0, textDelta });
const complete = { type: "assistant_text_complete", messageId: "m", blockIndex: 0 };
const message = (id: string, text: string) => ({
  type: "create_message",
  message: { id, role: "assistant", content: [{ type: "text", text }], createdAt: 1, updatedAt: 1 },
});

test("an answer is written once, whether it came in deltas, as a whole, or both", () => {
  expect(printed([delta("Hel"), delta("lo"), complete, message("m", "Hello")]).answer).toBe("Hello\n");
  expect(printed([message("n", "Hello")]).answer).toBe("Hello\n");
});

test("a tool call is noted once, on a line of its own, when its input is known", () => {
  const call = (input: object) => ({ type: "tool_call", toolUse: { type: "tool_use", id: "t", name: "Read", input } });
  const { answer, notes } = printed([delta("Reading"), call({}), call({ path: "a" }), call({ path: "a" })]);
  expect(answer).toBe("Reading\n");
  expect(notes).toEqual(['· Read {"path":"a"}']);
});

test("notifications it does not know are passed over", () => {
  expect(printed([{ type: "of_the_future", textDelta: "x" }])).toEqual({ answer: "", notes: [] });
});
