import { createInterface } from "node:readline/promises";
import type {
  AskUserParams,
  AskUserResult,
  PermissionToolUse,
  RequestPermissionParams,
  RequestPermissionResult,
} from "@daemon-sdk/protocol";
import { CANCEL_ANSWERS } from "../agents/index.js";
import { printable } from "./terminal.js";

/** Asks the user one question. Undefined without an answer: end of input, or `signal` aborted. */
export type Ask = (question: string, signal: AbortSignal) => Promise<string | undefined>;

/** Asks on the terminal of this process. Ctrl-C at the question sends SIGINT to the process, as usual. */
export const askOnTerminal: Ask = async (question, signal) => {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new AbortController();
  prompt.on("SIGINT", () => process.emit("SIGINT"));
  prompt.on("close", () => ended.abort());
  try {
    return await prompt.question(question, { signal: AbortSignal.any([signal, ended.signal]) });
  } catch {
    return undefined;
  } finally {
    prompt.close();
  }
};

/** The answer of `--yes`: approves once, never "always". */
export function approve({ options }: RequestPermissionParams): RequestPermissionResult {
  const chosen =
    options.find(({ value }) => value === "proceed_once") ?? options.find(({ value }) => value !== "cancel");
  return chosen === undefined ? CANCEL_ANSWERS.request_permission : { selectedOption: chosen.value };
}

/** Shows a permission request, and lets the user choose among the request's options. No answer means cancel. */
export async function askPermission(
  params: RequestPermissionParams,
  ask: Ask,
  signal: AbortSignal,
): Promise<RequestPermissionResult> {
  const what = params.toolUses.map((toolUse) => `  ${describeToolUse(toolUse)}\n`).join("");
  const choices = params.options.map(({ label }, index) => `  ${index + 1}) ${label}\n`).join("");
  const question = printable(`The agent asks for permission:\n${what}${choices}Choose 1–${params.options.length}: `);
  for (;;) {
    const answer = await ask(question, signal);
    if (answer === undefined) return CANCEL_ANSWERS.request_permission;
    const chosen = params.options[Number(answer.trim()) - 1];
    if (chosen !== undefined) return { selectedOption: chosen.value };
  }
}

/** Asks the user each question. An answer is the number of an option, or free text. No answer means cancelled. */
export async function askQuestions(params: AskUserParams, ask: Ask, signal: AbortSignal): Promise<AskUserResult> {
  const answers: AskUserResult["answers"] = [];
  for (const { index, question, options } of params.questions) {
    const choices = options.map((option, at) => `  ${at + 1}) ${option}\n`).join("");
    const text = await ask(printable(`${question}\n${choices}Choose, or write your own: `), signal);
    if (text === undefined) return CANCEL_ANSWERS.ask_user;
    answers.push({ index, question, answer: options[Number(text.trim()) - 1] ?? text.trim() });
  }
  return { answers };
}

/** Describes the action of a tool use in one line. */
export function describeToolUse({ toolUse, details }: PermissionToolUse): string {
  const target = [details.fullCommand, details.filePath, details.toolName].find((value) => typeof value === "string");
  return `${toolUse.name}: ${target ?? JSON.stringify(toolUse.input)}`;
}
