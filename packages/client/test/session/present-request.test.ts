import { expect, test } from "vitest";
import { answerFromText, type PresentableRequest, presentRequest } from "../../src/index.js";
import { execPermission } from "../support.js";

const permission: PresentableRequest = {
  method: "request_permission",
  params: {
    ...execPermission(),
    sessionId: "s",
    options: [
      { label: "Yes, this once", value: "proceed_once" },
      { label: "Edit", value: "proceed_edit" },
      { label: "No", value: "cancel" },
    ],
  },
};

function asking(...options: string[][]): PresentableRequest {
  const questions = options.map((each, index) => ({
    index,
    topic: "t",
    question: `Question ${index}?`,
    options: each,
  }));
  return { method: "ask_user", params: { sessionId: "s", toolCallId: "t", questions } };
}

test("a permission request has its tool uses as text and its options as choices, without the one that needs a text", () => {
  const { text, choices } = presentRequest(permission);
  expect(text).toMatch(/^Execute \{/);
  expect(choices).toEqual([
    { label: "Yes, this once", answer: "proceed_once" },
    { label: "No", answer: "cancel" },
  ]);
});

test("one question has its options as choices; several, and one without options, have none", () => {
  expect(presentRequest(asking(["red", "blue"]))).toEqual({
    text: "Question 0?",
    choices: ["red", "blue"].map((label) => ({
      label,
      answer: { answers: [{ index: 0, question: "Question 0?", answer: label }] },
    })),
  });
  expect(presentRequest(asking(["red"], ["small"]))).toEqual({ text: "Question 0?\nQuestion 1?", choices: [] });
  expect(presentRequest(asking([])).choices).toEqual([]);
});

test("a person's words choose by label or value, answer a question, and else refuse a permission with a comment", () => {
  expect(answerFromText(permission, " yes, THIS once ")).toBe("proceed_once");
  expect(answerFromText(permission, "proceed_once")).toBe("proceed_once");
  expect(answerFromText(permission, "Use git instead")).toEqual({
    selectedOption: "cancel",
    comment: "Use git instead",
  });
  expect(answerFromText(asking(["red", "blue"]), "BLUE")).toEqual({
    answers: [{ index: 0, question: "Question 0?", answer: "blue" }],
  });
  expect(answerFromText(asking(["red"], ["small"]), "green")).toEqual({
    answers: [0, 1].map((index) => ({ index, question: `Question ${index}?`, answer: "green" })),
  });
});
