import {
  type AskUserParams,
  type AskUserResult,
  DaemonError,
  type InboxRequest,
  InvalidOptionError,
  METHODS,
  type RequestPermissionParams,
  type RequestPermissionResult,
} from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { askOnTerminal, askPermission, askQuestions, showToolUse } from "../answers.js";
import type { CommandContext, CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { runningReader } from "../session-reader.js";

/** Adds `answer`. */
export function addAnswerCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "answer", "answer a request of the inbox; without an answer it is shown, and asked at a terminal")
    .argument("<request>", "id of a request, or its first characters; see `inbox`")
    .argument(
      "[answers...]",
      "of a permission: an option's number or value, or `cancel`; of questions: one answer each, a number or a text",
    )
    .option("-m, --comment <text>", "with a permission: what the agent is to know")
    .addHelpText("after", "\nExit code 4 when the answer was to refuse.")
    .action(
      cli.action(
        (context, request: string, answers: string[], options: { comment?: string }) =>
          answer({ context, request, answers, ...options }),
        "abort",
      ),
    );
}

interface AnswerOptions {
  readonly context: CommandContext;
  readonly request: string;
  readonly answers: readonly string[];
  readonly comment?: string;
}

async function answer({ context, request: text, answers, comment }: AnswerOptions): Promise<number> {
  const { stateDir, json, terminal, interrupted } = context;
  await using reader = await runningReader(stateDir);
  const request = requestNamed(text, await reader.requests());
  const { requestId, sessionId } = request;
  const given = answers.length === 0 ? await asked(request, context) : chosen(request, answers);
  if (given === undefined) return interrupted.aborted ? EXIT.interrupted : EXIT.failed;
  const result = comment === undefined ? given : { ...given, comment };
  await reader.call.engine.request(METHODS.answerRequest, { requestId, result });
  if (json) terminal.json({ sessionId, requestId, result });
  else terminal.answer("Answered.\n");
  return isRefusal(result) ? EXIT.refused : EXIT.ok;
}

/** Whether an answer does not grant what was asked for. */
export function isRefusal(answer: RequestPermissionResult | AskUserResult): boolean {
  return "selectedOption" in answer ? answer.selectedOption === "cancel" : answer.cancelled === true;
}

function requestNamed(text: string, requests: readonly InboxRequest[]): InboxRequest {
  const [found, ...others] = requests.filter(({ requestId }) => requestId === text || requestId.startsWith(text));
  if (found === undefined) {
    throw new DaemonError(
      "REQUEST_NOT_PENDING",
      `No request ${text} waits for an answer. "local-daemon inbox" lists those that do.`,
    );
  }
  if (others.length === 0 || found.requestId === text) return found;
  throw new InvalidOptionError("request", `the beginning of one id; ${others.length + 1} begin with ${text}`);
}

/** Asks at the terminal. Undefined without an answer; the request stays pending then. */
async function asked(
  request: InboxRequest,
  { json, terminal, interrupted }: CommandContext,
): Promise<RequestPermissionResult | AskUserResult | undefined> {
  if (json || !terminal.isInteractive) {
    if (request.method === "request_permission")
      for (const toolUse of request.params.toolUses) showToolUse(toolUse, terminal);
    throw new InvalidOptionError("answers", `given, because there is no terminal to ask at: ${offered(request)}`);
  }
  let isAnswered = true;
  const ask: typeof askOnTerminal = async (question, signal) => {
    const text = await askOnTerminal(question, signal);
    isAnswered &&= text !== undefined;
    return text;
  };
  const result =
    request.method === "request_permission"
      ? await askPermission(request.params, { ask, terminal }, interrupted)
      : await askQuestions(request.params, ask, interrupted);
  return isAnswered ? result : undefined;
}

function offered(request: InboxRequest): string {
  if (request.method === "ask_user") return `${request.params.questions.length} answers`;
  return request.params.options.map(({ value }, index) => `${index + 1} or ${value}`).join(", ");
}

function chosen(request: InboxRequest, answers: readonly string[]): RequestPermissionResult | AskUserResult {
  return request.method === "request_permission"
    ? chosenOption(request.params, answers)
    : chosenAnswers(request.params, answers);
}

function chosenOption({ options }: RequestPermissionParams, answers: readonly string[]): RequestPermissionResult {
  const [text = ""] = answers;
  const option = options[Number(text) - 1] ?? options.find(({ value }) => value === text);
  if (answers.length === 1 && option !== undefined) return { selectedOption: option.value };
  if (answers.length === 1 && text === "cancel") return { selectedOption: "cancel" };
  const known = options.map(({ label, value }, index) => `${index + 1} or ${value} (${label})`).join(", ");
  throw new InvalidOptionError("answers", `one of ${known}, or cancel`);
}

function chosenAnswers({ questions }: AskUserParams, answers: readonly string[]): AskUserResult {
  if (answers.length === 1 && answers[0] === "cancel") return { cancelled: true, answers: [] };
  if (answers.length !== questions.length) {
    throw new InvalidOptionError("answers", `one answer for each of ${questions.length} questions, or cancel`);
  }
  return {
    answers: questions.map(({ index, question, options }, at) => {
      const text = answers[at] ?? "";
      return { index, question, answer: options[Number(text) - 1] ?? text };
    }),
  };
}
