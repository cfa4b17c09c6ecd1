import {
  type AskUserResult,
  InvalidOptionError,
  isRecord,
  type RequestPermissionResult,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import type { AskUserRequest, PermissionRequest } from "../base/index.js";

/**
 * The result to send for an answer to a permission request, with the `sessionId` that a daemon's schema requires
 * (docs/wire/session.md#permission-requests).
 *
 * Throws an `InvalidOptionError` for an option that the request does not offer, and for `proceed_edit` without its text.
 */
export function permissionResult(request: PermissionRequest, answer: unknown): RequestPermissionResult {
  const { selectedOption, comment, editedSpecContent } = isRecord(answer) ? answer : { selectedOption: answer };
  // Cancel is always possible, offered or not: it is also the answer for a handler that fails.
  const offered = ["cancel", ...request.options.map(({ value }) => value)];
  if (typeof selectedOption !== "string" || !offered.includes(selectedOption)) {
    throw new InvalidOptionError("selectedOption", `one of ${[...new Set(offered)].join(", ")}`, selectedOption);
  }
  if (comment !== undefined && typeof comment !== "string") {
    throw new InvalidOptionError("comment", "a string", comment);
  }
  if (selectedOption === "proceed_edit" && typeof editedSpecContent !== "string") {
    throw new InvalidOptionError("editedSpecContent", "a string, along with proceed_edit", editedSpecContent);
  }
  return {
    selectedOption,
    ...withoutUndefined({ comment }),
    ...(typeof editedSpecContent === "string" ? { editedSpecContent } : {}),
    sessionId: request.sessionId,
  };
}

/**
 * The result to send for an answer to questions. Throws an `InvalidOptionError` unless each answer is
 * `{ index, question, answer }`: after bare strings a real daemon's turn never ends
 * (docs/wire/session.md#questions-to-the-user).
 */
export function askUserResult(request: AskUserRequest, reply: unknown): AskUserResult {
  if (!isRecord(reply)) throw new InvalidOptionError("reply", "an object: { answers } or { cancelled: true }", reply);
  const { sessionId } = request;
  if (reply.cancelled === true) return { cancelled: true, answers: [], sessionId };
  const { answers } = reply;
  if (!Array.isArray(answers)) throw new InvalidOptionError("answers", "an array, one entry per question", answers);
  const checked = answers.map((entry: unknown, position) => {
    if (!isRecord(entry) || typeof entry.answer !== "string" || !Number.isInteger(entry.index)) {
      throw new InvalidOptionError(`answers[${position}]`, "an object { index, question, answer }", entry);
    }
    const index = entry.index as number;
    const asked = request.questions.find((question) => question.index === index);
    if (asked === undefined) {
      const known = request.questions.map((question) => question.index).join(", ");
      throw new InvalidOptionError(`answers[${position}].index`, `the index of a question: ${known}`, index);
    }
    return {
      index,
      question: typeof entry.question === "string" ? entry.question : asked.question,
      answer: entry.answer,
    };
  });
  return { cancelled: false, answers: checked, sessionId };
}

/**
 * The result to send for an answer to a request of which only the id is known here. The daemon checks whether the request offers
 * the answer. Throws an `InvalidOptionError` for an answer to neither kind of request.
 */
export function resultOfAnswer(answer: unknown): RequestPermissionResult | AskUserResult {
  if (typeof answer === "string") return { selectedOption: answer };
  if (isRecord(answer)) {
    if (typeof answer.selectedOption === "string") return answer as unknown as RequestPermissionResult;
    if (answer.cancelled === true) return { cancelled: true, answers: [] };
    if (Array.isArray(answer.answers)) return { answers: answer.answers };
  }
  throw new InvalidOptionError("answer", "an option, { selectedOption }, { answers } or { cancelled: true }", answer);
}
