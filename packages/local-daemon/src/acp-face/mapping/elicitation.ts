import type { CreateElicitationRequest, ElicitationPropertySchema } from "@agentclientprotocol/sdk";
import { type AskUserParams, type AskUserQuestion, type AskUserResult, isRecord } from "@daemon-sdk/protocol";
import { textOf } from "./content.js";

/** Name of a question's property, and of the one for an answer that is not among its options. */
const nameOf = ({ index }: AskUserQuestion) => `question${index}`;
const otherOf = ({ index }: AskUserQuestion) => `other${index}`;

/** Questions of ours as a form of ACP: one property a question, and one for another answer where a question has options. */
export function elicitationForm(sessionId: string, { questions, toolCallId }: AskUserParams): CreateElicitationRequest {
  const properties: [string, ElicitationPropertySchema][] = questions.flatMap((question) => {
    const titles = { title: question.topic || question.question, description: question.question };
    if (question.options.length === 0) return [[nameOf(question), { type: "string", ...titles }]];
    const oneOf = question.options.map((option) => ({ const: option, title: option }));
    return [
      [nameOf(question), { type: "string", ...titles, oneOf }],
      [otherOf(question), { type: "string", title: "Another answer" }],
    ];
  });
  return {
    mode: "form",
    sessionId,
    toolCallId,
    message: questions.map(({ question }) => question).join("\n"),
    requestedSchema: { type: "object", properties: Object.fromEntries(properties) },
  };
}

/** The editor's answer to that form as ours. What it does not accept is cancelled. */
export function elicitationAnswer({ questions }: AskUserParams, result: unknown): AskUserResult {
  const content =
    isRecord(result) && result.action === "accept" && isRecord(result.content) ? result.content : undefined;
  if (content === undefined) return { cancelled: true, answers: [] };
  return {
    answers: questions.map((question) => {
      const answer = textOf(content[otherOf(question)]) || textOf(content[nameOf(question)]) || "";
      return { index: question.index, question: question.question, answer };
    }),
  };
}

/** Questions as a text, for an editor that has no forms. */
export function questionText({ questions }: AskUserParams): string {
  const lines = questions.map(({ question, options }) =>
    options.length === 0 ? question : `${question} (${options.join(", ")})`,
  );
  return `The agent asks:\n${lines.join("\n")}\nThis editor has no forms for questions. Answer with another client of the daemon, or cancel the turn.`;
}
