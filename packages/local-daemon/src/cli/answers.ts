import { createInterface } from "node:readline/promises";
import type {
  AskUserParams,
  AskUserResult,
  PermissionToolUse,
  RequestPermissionParams,
  RequestPermissionResult,
} from "@daemon-sdk/protocol";
import { CANCEL_ANSWERS } from "../agents/index.js";
import { printable, type Terminal } from "./terminal.js";
import { describeToolUse, toolUseLines } from "./tool-use-text.js";

/** Asks the user one question. Undefined without an answer: end of input, or `signal` aborted. */
export type Ask = (question: string, signal: AbortSignal) => Promise<string | undefined>;

/** Asks on the terminal of this process. Ctrl-C at the question sends SIGINT to the process, as usual. */
export const askOnTerminal: Ask = async (question, signal) => {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new AbortController();
  prompt.on("SIGINT", () => process.emit("SIGINT"));
  // readline pauses its input when the process goes on after Ctrl-Z.
  prompt.on("SIGCONT", () => void prompt.resume());
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

/** Lines of a tool use that are shown at first. */
const SHOWN_LINES = 20;
/** Needs a text of the user's, which no choice of a number gives. */
const NOT_ASKED: ReadonlySet<string> = new Set(["proceed_edit"]);

/**
 * Shows what a permission request would do, and lets the user choose among the request's options. Of what is long the first part is shown,
 * and all of it when the user wants that. No answer means cancel.
 */
export async function askPermission(
  params: Pick<RequestPermissionParams, "toolUses" | "options">,
  { ask, terminal }: { readonly ask: Ask; readonly terminal: Pick<Terminal, "note"> },
  signal: AbortSignal,
): Promise<RequestPermissionResult> {
  const options = params.options.filter(({ value }) => !NOT_ASKED.has(value));
  terminal.note("The agent asks for permission:", "bold");
  const hidden = params.toolUses.map((toolUse) => showToolUse(toolUse, terminal, SHOWN_LINES));
  const isCut = hidden.some((count) => count > 0);
  const choices = options.map(({ label }, index) => `  ${index + 1}) ${label}\n`).join("");
  const all = isCut ? "  a) show all of it\n" : "";
  const question = printable(`${choices}${all}Choose 1–${options.length}${isCut ? " or a" : ""}: `);
  for (;;) {
    const answer = (await ask(question, signal))?.trim();
    if (answer === undefined) return CANCEL_ANSWERS.request_permission;
    if (isCut && answer === "a") for (const toolUse of params.toolUses) showToolUse(toolUse, terminal);
    const chosen = /^\d+$/.test(answer) ? options[Number(answer) - 1] : undefined;
    if (chosen !== undefined) return { selectedOption: chosen.value };
  }
}

/** Shows a tool use, or its first lines. Returns how many were left out. */
export function showToolUse(
  toolUse: PermissionToolUse,
  terminal: Pick<Terminal, "note">,
  most = Number.POSITIVE_INFINITY,
): number {
  terminal.note(`  ${describeToolUse(toolUse)}`, "yellow");
  const lines = toolUseLines(toolUse);
  // "1 more line" would take the place of that line.
  const shown = lines.length > most + 1 ? lines.slice(0, most) : lines;
  for (const { text, style = "reset" } of shown) terminal.note(`    ${text}`, style);
  const hidden = lines.length - shown.length;
  if (hidden > 0) terminal.note(`    … ${hidden} more lines`);
  return hidden;
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
