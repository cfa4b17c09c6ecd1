import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Command, parsePrompt } from "../../src/workspace-agent/language.js";

const one = (line: string): Command => {
  const [command, ...others] = parsePrompt(line);
  expect(others).toEqual([]);
  return command ?? { kind: "help" };
};

describe("the workspace agent's language", () => {
  test.each<[string, Command]>([
    ["list", { kind: "list", path: "." }],
    ["list src/a b", { kind: "list", path: "src/a b" }],
    ["read notes.txt", { kind: "read", path: "notes.txt" }],
    ["search two words", { kind: "search", text: "two words", path: "." }],
    ["search two words in src", { kind: "search", text: "two words", path: "src" }],
    ["search a in b in c", { kind: "search", text: "a in b", path: "c" }],
    ["write a.txt: hello", { kind: "write", path: "a.txt", text: "hello" }],
    ["write a.txt:", { kind: "write", path: "a.txt", text: "" }],
    ["write a.txt: x: y", { kind: "write", path: "a.txt", text: "x: y" }],
    ["write a.txt: one\\ntwo\\\\n", { kind: "write", path: "a.txt", text: "one\ntwo\\n" }],
    ["append a.txt: more\\n", { kind: "append", path: "a.txt", text: "more\n" }],
    ["run echo hi | wc -l", { kind: "run", command: "echo hi | wc -l" }],
    ["ask Which one? red | green |  blue", { kind: "ask", question: "Which one?", options: ["red", "green", "blue"] }],
    ["ask Really?", { kind: "ask", question: "Really?", options: [] }],
    ["say hello there", { kind: "say", text: "hello there" }],
    ["think hm", { kind: "think", text: "hm" }],
    ["stream 200000", { kind: "stream", count: 200_000, bytes: 8 }],
    ["stream 3 of 300", { kind: "stream", count: 3, bytes: 300 }],
    ["count 5 every 20", { kind: "count", count: 5, everyMs: 20 }],
    ["recall", { kind: "recall" }],
    ['json {"a":[1]}', { kind: "json", literal: '{"a":[1]}' }],
    ["SAY loud", { kind: "say", text: "loud" }],
    ["make me a sandwich", { kind: "help" }],
    ["stream many", { kind: "help" }],
    ["stream 99999999999999", { kind: "help" }],
    ["read", { kind: "help" }],
    ["", { kind: "help" }],
    [" \n \r\n", { kind: "help" }],
  ])("reads %j", (line, command) => {
    expect(one(line)).toEqual(command);
  });

  test("one command a line, or several on one, joined by ` ; then `", () => {
    expect(parsePrompt("list\r\nsay a; b ; then recall\n\nsay c").map(({ kind }) => kind)).toEqual([
      "list",
      "say",
      "recall",
      "say",
    ]);
    expect(parsePrompt("say a; b")).toEqual([{ kind: "say", text: "a; b" }]);
  });

  test("any text is read, fast, and never as nothing", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => parsePrompt(text).length > 0));
    const long = `search ${"a in ".repeat(100_000)}`;
    // The processor's time, in microseconds: other programs do not lengthen it.
    const before = process.cpuUsage();
    parsePrompt(long);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(1_000_000);
  });
});
