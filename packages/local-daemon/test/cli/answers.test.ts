import type { AskUserParams, RequestPermissionParams } from "@daemon-sdk/protocol";
import { describe, expect, test } from "vitest";
import { type Ask, approve, askPermission, askQuestions } from "../../src/cli/answers.js";

const signal = new AbortController().signal;

const permission: RequestPermissionParams = {
  sessionId: "s",
  toolUses: [
    {
      toolUse: { type: "tool_use", id: "t", name: "Execute", input: { command: "ls" } },
      confirmationType: "exec",
      details: { type: "exec", fullCommand: "ls \u001b[2J-l", command: "ls" },
    },
  ],
  options: [
    { label: "Yes", value: "proceed_once" },
    { label: "Always", value: "proceed_always" },
    { label: "No", value: "cancel" },
  ],
};

/** Answers in turn, then no more. */
function scripted(answers: string[]) {
  const questions: string[] = [];
  const notes: string[] = [];
  const ask: Ask = async (question) => {
    questions.push(question);
    return answers.shift();
  };
  return { ask, questions, notes, terminal: { note: (line: string) => void notes.push(line) } };
}

describe("a permission request", () => {
  test("shows what is wanted and offers its own options", async () => {
    const asked = scripted(["2"]);
    expect(await askPermission(permission, asked, signal)).toEqual({ selectedOption: "proceed_always" });
    expect(asked.notes).toContain("  Execute: ls \u001b[2J-l");
    expect(asked.questions[0]).toContain("3) No");
  });

  test("never hands a terminal what it would obey", async () => {
    const asked = scripted(["1"]);
    const options = [{ label: "Yes \u001b[2J", value: "proceed_once" }];
    await askPermission({ ...permission, options }, asked, signal);
    expect(asked.questions[0]).not.toContain("\u001b");
  });

  test.each(["", "0", "4", "yes", "1.5"])("is asked again after %j", async (nonsense) => {
    const asked = scripted([nonsense, "1"]);
    expect(await askPermission(permission, asked, signal)).toEqual({ selectedOption: "proceed_once" });
    expect(asked.questions).toHaveLength(2);
  });

  test("to change a file shows the difference that it would make", async () => {
    const asked = scripted(["1"]);
    const before = Array.from({ length: 9 }, (_, line) => `line ${line}`).join("\n");
    const details = {
      type: "edit",
      filePath: "/w/a.txt",
      oldContent: before,
      newContent: before.replace("line 4", "new 4"),
    };
    const toolUse = { type: "tool_use", id: "t", name: "Edit", input: {} } as const;
    await askPermission({ ...permission, toolUses: [{ toolUse, confirmationType: "edit", details }] }, asked, signal);
    expect(asked.notes.map((line) => line.trimEnd())).toEqual([
      "The agent asks for permission:",
      "  Edit: /w/a.txt",
      "    @@ -2,7 +2,7 @@",
      "     line 1",
      "     line 2",
      "     line 3",
      "    -line 4",
      "    +new 4",
      "     line 5",
      "     line 6",
      "     line 7",
    ]);
  });

  test("to write much shows the first part, and all of it when the user wants that", async () => {
    const asked = scripted(["a", "1"]);
    const content = Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join("");
    const details = { type: "create", filePath: "/w/a.txt", content };
    const toolUse = { type: "tool_use", id: "t", name: "Create", input: {} } as const;
    await askPermission({ ...permission, toolUses: [{ toolUse, confirmationType: "create", details }] }, asked, signal);
    expect(asked.notes).toContain("    … 31 more lines");
    expect(asked.questions[0]).toContain("a) show all of it");
    expect(asked.notes.filter((line) => line === "    +line 49")).toHaveLength(1);
    expect(asked.notes.filter((line) => line === "    +line 3")).toHaveLength(2);
  });

  test("without an answer means cancel", async () => {
    expect(await askPermission(permission, scripted([]), signal)).toEqual({ selectedOption: "cancel" });
  });

  test("approved beforehand is approved once, never always", () => {
    expect(approve(permission)).toEqual({ selectedOption: "proceed_once" });
    expect(approve({ ...permission, options: permission.options.slice(2) })).toEqual({ selectedOption: "cancel" });
  });
});

describe("questions of the agent", () => {
  const questions: AskUserParams = {
    sessionId: "s",
    toolCallId: "t",
    questions: [
      { index: 1, topic: "Colour", question: "Which colour?", options: ["red", "blue"] },
      { index: 2, topic: "Name", question: "Which name?", options: [] },
    ],
  };

  test("take an option by its number, or words of one's own", async () => {
    expect(await askQuestions(questions, scripted(["2", " Ada "]).ask, signal)).toEqual({
      answers: [
        { index: 1, question: "Which colour?", answer: "blue" },
        { index: 2, question: "Which name?", answer: "Ada" },
      ],
    });
  });

  test("are cancelled as a whole when one gets no answer", async () => {
    expect(await askQuestions(questions, scripted(["1"]).ask, signal)).toEqual({ cancelled: true, answers: [] });
  });
});
