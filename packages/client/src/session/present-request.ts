import type { AskUserParams, RequestPermissionParams } from "@daemon-sdk/protocol";
import type { AskUserReply, PermissionAnswer } from "../base/index.js";

/** A request of the agent as `follow`, `listRequests` and webhooks have it. */
export type PresentableRequest =
  | { readonly method: "request_permission"; readonly params: RequestPermissionParams }
  | { readonly method: "ask_user"; readonly params: AskUserParams };

/** One answer that a person can choose. */
export interface RequestChoice {
  readonly label: string;
  /** What `answerRequest` takes for it. */
  readonly answer: PermissionAnswer | AskUserReply;
}

/** A request as a user interface shows it. */
export interface RequestPresentation {
  /** What the agent wants to do, one tool use a line; or its questions, one a line. */
  readonly text: string;
  /** Empty where a choice of one is no answer: for several questions, and for one without options. */
  readonly choices: RequestChoice[];
}

/** Text and choices of a request, for buttons in a chat or a page. */
export function presentRequest({ method, params }: PresentableRequest): RequestPresentation {
  if (method === "request_permission") {
    const text = params.toolUses.map(({ toolUse }) => `${toolUse.name} ${JSON.stringify(toolUse.input)}`).join("\n");
    // A spec that is to be edited needs a text with the choice.
    const options = params.options.filter(({ value }) => value !== "proceed_edit");
    return { text, choices: options.map(({ label, value }) => ({ label, answer: value })) };
  }
  const [asked, ...more] = params.questions;
  const text = params.questions.map(({ question }) => question).join("\n");
  if (asked === undefined || more.length > 0) return { text, choices: [] };
  const { index, question, options } = asked;
  const choices = options.map((label) => ({ label, answer: { answers: [{ index, question, answer: label }] } }));
  return { text, choices };
}

/**
 * The answer that a person's words are: the choice of that label or value, else the words as the answer to each question. Words
 * that are no choice of a permission request refuse it, and the agent gets them as the comment.
 */
export function answerFromText(request: PresentableRequest, text: string): PermissionAnswer | AskUserReply {
  const wanted = text.trim().toLowerCase();
  const { choices } = presentRequest(request);
  const chosen = choices.find(({ label, answer }) => [label, answer].some((word) => isSame(word, wanted)));
  if (chosen !== undefined) return chosen.answer;
  if (request.method === "request_permission") return { selectedOption: "cancel", comment: text };
  const { questions } = request.params;
  return { answers: questions.map(({ index, question }) => ({ index, question, answer: text })) };
}

function isSame(word: unknown, wanted: string): boolean {
  return typeof word === "string" && word.toLowerCase() === wanted;
}
