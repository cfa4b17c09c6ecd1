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
function scripted(answers: string[]): Ask & { questions: string[] } {
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    return answers.shift();
  };
  return Object.assign(ask, { questions });
}

describe("a permission request", () => {
  test("shows what is wanted and offers its own options", async () => {
    const ask = scripted(["2"]);
    expect(await askPermission(permission, ask, signal)).toEqual({ selectedOption: "proceed_always" });
    expect(ask.questions[0]).toContain("Execute: ls");
    expect(ask.questions[0]).toContain("3) No");
  });

  test("never hands a terminal what it would obey", async () => {
    const ask = scripted(["1"]);
    await askPermission(permission, ask, signal);
    expect(ask.questions[0]).not.toContain("\u001b");
  });

  test.each(["", "0", "4", "yes", "1.5"])("is asked again after %j", async (nonsense) => {
    const ask = scripted([nonsense, "1"]);
    expect(await askPermission(permission, ask, signal)).toEqual({ selectedOption: "proceed_once" });
    expect(ask.questions).toHaveLength(2);
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
    expect(await askQuestions(questions, scripted(["2", " Ada "]), signal)).toEqual({
      answers: [
        { index: 1, question: "Which colour?", answer: "blue" },
        { index: 2, question: "Which name?", answer: "Ada" },
      ],
    });
  });

  test("are cancelled as a whole when one gets no answer", async () => {
    expect(await askQuestions(questions, scripted(["1"]), signal)).toEqual({ cancelled: true, answers: [] });
  });
});
