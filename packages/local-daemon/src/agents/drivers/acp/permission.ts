import { type ConfirmationDetails, isRecord } from "@daemon-sdk/protocol";
import { recordsOf, textOf } from "./content.js";
import type { ToolCall } from "./tool-call.js";

/** One option of a question, as our clients get it. */
export interface OfferedOption {
  readonly label: string;
  readonly value: string;
  /** The agent's own kind of an option that has no value of ours: by its label alone nobody could tell a refusal from a permission. */
  readonly kind?: string;
}

/** The answer to `session/request_permission`. */
export type PermissionOutcome =
  | { readonly outcome: { readonly outcome: "selected"; readonly optionId: string } }
  | { readonly outcome: { readonly outcome: "cancelled" } };

/** The answer to a question that is not asked any more. */
export const CANCELLED_OUTCOME: PermissionOutcome = { outcome: { outcome: "cancelled" } };

/** An option of the agent that has no value of ours. */
const OWN_PREFIX = "acp:";

/**
 * The options of one permission request in our values, and the way back (docs/wire/acp.md#permission).
 *
 * The first option that allows once is `proceed_once`, a single one that allows always is `proceed_always`, the first that rejects
 * is `cancel`. Each other option keeps its label and has the value `acp:` and its id. Without an option that rejects, `cancel`
 * is answered by the outcome `cancelled`.
 */
export class PermissionOptions {
  readonly offered: readonly OfferedOption[];
  readonly #idOfValue = new Map<string, string>();

  constructor(options: unknown) {
    const read = recordsOf(options).flatMap(({ optionId, name, kind }) =>
      typeof optionId === "string" ? [{ optionId, label: textOf(name) ?? optionId, kind }] : [],
    );
    const always = read.filter(({ kind }) => kind === "allow_always");
    const offered = read.map(({ optionId, label, kind }) => {
      const known = this.#valueOf(kind, always.length);
      const value = known ?? `${OWN_PREFIX}${optionId}`;
      this.#idOfValue.set(value, optionId);
      return { label, value, ...(known === undefined && typeof kind === "string" && { kind }) };
    });
    const [firstAlways] = always;
    // A handler that answers "always" whatever is offered means the first of them.
    if (firstAlways !== undefined && !this.#idOfValue.has("proceed_always")) {
      this.#idOfValue.set("proceed_always", firstAlways.optionId);
    }
    this.offered = this.#idOfValue.has("cancel") ? offered : [...offered, { label: "Cancel", value: "cancel" }];
  }

  /** The agent's answer for one of ours. What no option has is no permission. */
  outcomeOf(selectedOption: unknown): PermissionOutcome {
    const optionId = typeof selectedOption === "string" ? this.#idOfValue.get(selectedOption) : undefined;
    return optionId === undefined ? CANCELLED_OUTCOME : { outcome: { outcome: "selected", optionId } };
  }

  #valueOf(kind: unknown, alwaysCount: number): string | undefined {
    const value = ourValue(kind, alwaysCount);
    return value === undefined || this.#idOfValue.has(value) ? undefined : value;
  }
}

function ourValue(kind: unknown, alwaysCount: number): string | undefined {
  if (kind === "allow_once") return "proceed_once";
  if (kind === "allow_always") return alwaysCount === 1 ? "proceed_always" : undefined;
  return kind === "reject_once" ? "cancel" : undefined;
}

/** What the tool wants to do, in the shapes that our clients show (docs/wire/session.md#permission-requests). */
export function confirmationOf(tool: ToolCall): ConfirmationDetails {
  const diff = tool.content.find(({ type }) => type === "diff");
  if (diff !== undefined) return editOf(diff);
  const input = isRecord(tool.input) ? tool.input : {};
  switch (tool.kind) {
    case "execute": {
      const fullCommand = commandOf(input.command) ?? tool.title;
      return { type: "exec", fullCommand, command: fullCommand.split(/\s/u, 1)[0] ?? fullCommand };
    }
    case "switch_mode":
      return { type: "exit_spec_mode", plan: textOf(input.plan) ?? tool.title };
    default:
      return { type: "mcp_tool", toolName: tool.name, title: tool.title, impactLevel: "medium" };
  }
}

function editOf({ path, oldText, newText }: Record<string, unknown>): ConfirmationDetails {
  const filePath = textOf(path) ?? "";
  const named = { filePath, fileName: filePath.split(/[\\/]/u).at(-1) ?? filePath };
  const newContent = textOf(newText) ?? "";
  return typeof oldText === "string"
    ? { type: "edit", ...named, oldContent: oldText, newContent }
    : { type: "create", ...named, content: newContent, newContent };
}

/** Agents give a command as a line or as a list of arguments. */
function commandOf(command: unknown): string | undefined {
  return Array.isArray(command) ? command.join(" ") : textOf(command);
}
