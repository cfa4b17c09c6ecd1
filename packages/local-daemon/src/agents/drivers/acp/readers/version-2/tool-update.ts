import { isRecord } from "@daemon-sdk/protocol";
import { recordsOf, textOf } from "../../content.js";
import { hunksOf } from "./git-patch.js";

/** What `null` sets a field of a tool call to: in version 1, null means no change. */
const CLEARED: Readonly<Record<string, unknown>> = {
  name: "",
  title: "",
  kind: "other",
  status: "pending",
  content: [],
  locations: [],
  rawInput: {},
  rawOutput: "",
};

/** A `tool_call_update` of version 2 in the shape of version 1: null clears a field, and a diff is a patch. */
export function toolUpdate(update: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = Object.entries(update).map(([key, value]) => [key, value === null ? CLEARED[key] : value]);
  const read: Record<string, unknown> = Object.fromEntries(fields);
  return Array.isArray(read.content) ? { ...read, content: recordsOf(read.content).flatMap(toolContent) } : read;
}

/** One item of a tool's content in the shape of version 1. */
export function toolContent(item: Record<string, unknown>): Record<string, unknown>[] {
  return item.type === "diff" ? diffsOf(item) : [item];
}

/** One diff a hunk; a change that the patch has no text for, such as a move, is a sentence. */
function diffsOf({ changes, patch, _meta }: Record<string, unknown>): Record<string, unknown>[] {
  const isReadable = isRecord(patch) && patch.format === "git_patch" && typeof patch.text === "string";
  const hunks = isReadable ? hunksOf(String(patch.text)) : [];
  const meta = _meta === undefined ? {} : { _meta };
  const diffs = hunks.map(({ path, oldText, newText }) => ({
    type: "diff",
    path,
    ...(oldText !== undefined && { oldText }),
    newText,
    ...meta,
  }));
  const shown = new Set(hunks.map(({ path }) => path));
  const others = recordsOf(changes).filter(({ path }) => !shown.has(String(path)));
  return [...diffs, ...others.map(sentence)];
}

function sentence({ operation, oldPath, path }: Record<string, unknown>): Record<string, unknown> {
  const from = textOf(oldPath);
  const text = `${textOf(operation) ?? "change"} ${from === undefined ? "" : `${from} → `}${String(path)}`;
  return { type: "content", content: { type: "text", text } };
}
