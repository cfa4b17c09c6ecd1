import type { PermissionToolUse } from "@daemon-sdk/protocol";
import { createTwoFilesPatch, OMIT_HEADERS } from "diff";
import type { Style } from "./terminal.js";

/** One line of what is shown before a person decides. */
export interface ShownLine {
  readonly text: string;
  readonly style?: Style;
}

/** A longer comparison is given up: the new text is shown then, whole. */
const DIFF_MS = 500;
const CONTEXT_LINES = 3;

/** The action of a tool use in one line. */
export function describeToolUse({ toolUse, details }: PermissionToolUse): string {
  const target = [details.fullCommand, details.filePath, details.toolName].find((value) => typeof value === "string");
  return `${toolUse.name}: ${target ?? JSON.stringify(toolUse.input)}`;
}

/**
 * Everything that a tool use would do, as far as the agent stated it: the difference that it would make to a file, the command, the
 * plan, else its whole input.
 */
export function toolUseLines({ toolUse, details }: PermissionToolUse): readonly ShownLine[] {
  const { type, filePath, content, oldContent, newContent, patchContent, fullCommand, command, plan, proposal } =
    details;
  const path = textOr(filePath, toolUse.name);
  if (typeof content === "string") return diffLines(path, "", content);
  if (typeof newContent === "string") return diffLines(path, textOr(oldContent, ""), newContent);
  if (typeof patchContent === "string") return patchContent.split("\n").map(patchLine);
  const text = [fullCommand, command, plan, proposal].find((value) => typeof value === "string");
  if (typeof text === "string") return text.split("\n").map((line) => ({ text: type === "exec" ? `$ ${line}` : line }));
  return JSON.stringify(toolUse.input, null, 2)
    .split("\n")
    .map((line) => ({ text: line }));
}

/** The unified difference of two texts of one file, without its headers. */
function diffLines(path: string, before: string, after: string): readonly ShownLine[] {
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, {
    context: CONTEXT_LINES,
    timeout: DIFF_MS,
    headerOptions: OMIT_HEADERS,
  });
  if (patch === undefined) return after.split("\n").map((line) => ({ text: `+${line}`, style: "green" }));
  return patch.trimEnd().split("\n").map(patchLine);
}

function patchLine(text: string): ShownLine {
  if (text.startsWith("+")) return { text, style: "green" };
  if (text.startsWith("-")) return { text, style: "red" };
  return text.startsWith("@@") ? { text, style: "cyan" } : { text };
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}
