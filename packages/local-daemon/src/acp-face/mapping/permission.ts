import type { PermissionOption, PermissionOptionKind, ToolCallContent, ToolCallUpdate } from "@agentclientprotocol/sdk";
import {
  type ConfirmationDetails,
  isRecord,
  type RequestPermissionParams,
  type RequestPermissionResult,
} from "@daemon-sdk/protocol";
import { recordsOf, textOf } from "./content.js";
import { kindOf, titleOf } from "./tool-view.js";

/** Params of `session/request_permission` beside `sessionId`. */
export interface PermissionQuestion {
  readonly toolCall: ToolCallUpdate;
  readonly options: PermissionOption[];
}

/** `proceed_edit` needs an edited text, which an editor cannot send. */
const NOT_ASKED: ReadonlySet<string> = new Set(["proceed_edit"]);

const KINDS: ReadonlySet<string> = new Set<PermissionOptionKind>([
  "allow_once",
  "allow_always",
  "reject_once",
  "reject_always",
]);

/** A permission request of ours as ACP's. Ids of the options are our values, so the answer needs no table. */
export function permissionQuestion(params: Pick<RequestPermissionParams, "toolUses" | "options">): PermissionQuestion {
  const [first] = params.toolUses;
  const names = params.toolUses.map(({ toolUse }) => titleOf(toolUse.name, toolUse.input));
  const details = first?.details;
  const toolCall: ToolCallUpdate = {
    toolCallId: first?.toolUse.id ?? "",
    title: names.length === 1 ? singleTitle(details, names[0] ?? "") : names.join("; "),
    kind: kindOfDetails(details) ?? kindOf(first?.toolUse.name ?? ""),
    status: "pending",
    rawInput: first?.toolUse.input,
    ...contentOf(details),
  };
  const options = recordsOf(params.options).flatMap(({ label, value, kind }) =>
    typeof value === "string" && !NOT_ASKED.has(value)
      ? [{ optionId: value, name: textOf(label) ?? value, kind: optionKind(value, kind) }]
      : [],
  );
  return { toolCall, options };
}

/** The editor's answer as ours. An outcome that selects nothing is no permission. */
export function permissionAnswer(result: unknown): RequestPermissionResult {
  const outcome = isRecord(result) && isRecord(result.outcome) ? result.outcome : {};
  const { outcome: kind, optionId } = outcome;
  return { selectedOption: kind === "selected" && typeof optionId === "string" ? optionId : "cancel" };
}

/** `kind` is that of an agent's own option; ours have theirs by name. */
function optionKind(value: string, kind: unknown): PermissionOptionKind {
  if (typeof kind === "string" && KINDS.has(kind)) return kind as PermissionOptionKind;
  if (value === "proceed_once") return "allow_once";
  if (value.startsWith("proceed_")) return "allow_always";
  return value === "cancel" ? "reject_once" : "allow_always";
}

function singleTitle(details: ConfirmationDetails | undefined, fallback: string): string {
  return textOf(details?.title) ?? textOf(details?.fullCommand) ?? fallback;
}

function kindOfDetails(details: ConfirmationDetails | undefined): ToolCallUpdate["kind"] | undefined {
  switch (details?.type) {
    case "edit":
    case "create":
    case "apply_patch":
      return "edit";
    case "exec":
      return "execute";
    case "exit_spec_mode":
      return "switch_mode";
    default:
      return undefined;
  }
}

function contentOf(details: ConfirmationDetails | undefined): { content?: ToolCallContent[] } {
  if (details?.type === "exit_spec_mode" && typeof details.plan === "string") {
    return { content: [{ type: "content", content: { type: "text", text: details.plan } }] };
  }
  const path = textOf(details?.filePath);
  const newText = textOf(details?.newContent) ?? textOf(details?.content);
  if (path === undefined || newText === undefined) return {};
  const oldText = details?.type === "create" ? null : (textOf(details?.oldContent) ?? null);
  return { content: [{ type: "diff", path, oldText, newText }] };
}
