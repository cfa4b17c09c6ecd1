import { isRecord, type ToolUseBlock } from "@daemon-sdk/protocol";
import { rawText, recordsOf, textOf, toolText } from "./content.js";

/** Names of tools whose agent gives only a kind. */
const NAME_OF_KIND: Readonly<Record<string, string>> = {
  read: "Read",
  edit: "Edit",
  execute: "Execute",
  search: "Grep",
  fetch: "FetchUrl",
};

/** Keys of a tool call that a client shows and that have no place in `tool_call`. */
const DETAIL_KEYS = ["title", "kind", "locations", "rawOutput"] as const;

/**
 * One tool call as the agent has described it until now (docs/wire/acp.md#tools). A key that an update does not have keeps
 * its value.
 */
export class ToolCall {
  readonly id: string;
  /** Where the call is: `announced` until its input is final, `executing`, `ended` after its result. */
  state: "new" | "announced" | "executing" | "ended" = "new";
  /** Id of the assistant's message that has the `tool_use` block; undefined before it was written. */
  messageId: string | undefined;

  #fields: Readonly<Record<string, unknown>> = {};
  #name: string | undefined;
  #progress = "";
  #terminalOutput = "";
  #details = "{}";

  constructor(id: string) {
    this.id = id;
  }

  /** Merges an update. True when the input has changed. */
  merge(update: Readonly<Record<string, unknown>>): boolean {
    const before = JSON.stringify(this.input);
    const given = Object.entries(update).filter(([, value]) => value !== undefined && value !== null);
    this.#fields = { ...this.#fields, ...Object.fromEntries(given) };
    this.#name = nameIn(update) ?? this.#name;
    return JSON.stringify(this.input) !== before;
  }

  get status(): string | undefined {
    return textOf(this.#fields.status);
  }

  get kind(): string {
    return textOf(this.#fields.kind) ?? "other";
  }

  get title(): string {
    return textOf(this.#fields.title) || this.name;
  }

  /** The tool's own name where the agent gives one; else a name for its kind. `title` is a text for people. */
  get name(): string {
    return this.#name ?? NAME_OF_KIND[this.kind] ?? this.kind;
  }

  get input(): unknown {
    return this.#fields.rawInput ?? {};
  }

  /** False while the agent streams the arguments: what it calls content then is the JSON of the arguments. */
  get hasInput(): boolean {
    return isRecord(this.input) ? Object.keys(this.input).length > 0 : true;
  }

  get content(): Record<string, unknown>[] {
    return recordsOf(this.#fields.content);
  }

  get toolUse(): ToolUseBlock {
    return { type: "tool_use", id: this.id, name: this.name, input: this.input };
  }

  /** What the tool has written since the last call: the added text, or the whole when it was replaced. */
  takeProgress(update: Readonly<Record<string, unknown>>): string {
    const output = terminalOutput(update);
    this.#terminalOutput += output;
    if (update.content === undefined || !this.hasInput) return output;
    const text = toolText(update.content);
    const added = text.startsWith(this.#progress) ? text.slice(this.#progress.length) : text;
    this.#progress = text;
    return added + output;
  }

  /** The text of its result. */
  get result(): string {
    const { content, rawOutput } = this.#fields;
    // A tool that is done has its result there, also when its arguments were never reported.
    const isResult = this.hasInput || this.state === "ended" || this.status === "completed";
    const text = isResult ? toolText(content) : "";
    return text || this.#terminalOutput || rawText(rawOutput) || toolText(content);
  }

  /** What clients need to show diffs, files and terminals; undefined when nothing of it has changed. */
  takeDetails(): Record<string, unknown> | undefined {
    const shown = DETAIL_KEYS.filter((key) => this.#fields[key] !== undefined);
    const special = this.content.filter(({ type }) => type !== "content");
    const details = {
      ...Object.fromEntries(shown.map((key) => [key, this.#fields[key]])),
      ...(special.length > 0 && { content: special }),
    };
    const text = JSON.stringify(details);
    if (text === this.#details) return undefined;
    this.#details = text;
    return details;
  }
}

function nameIn({ name, _meta: meta }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof name === "string" && name !== "") return name;
  if (!isRecord(meta)) return undefined;
  const { claudeCode, toolName } = meta;
  return (isRecord(claudeCode) ? textOf(claudeCode.toolName) : undefined) ?? textOf(toolName);
}

/** Codex and pi run terminals of their own and put the output beside the update. */
function terminalOutput({ _meta: meta }: Readonly<Record<string, unknown>>): string {
  if (!isRecord(meta)) return "";
  const { terminal_output: whole, terminal_output_delta: delta } = meta;
  const part = isRecord(delta) ? delta : whole;
  return isRecord(part) ? (textOf(part.data) ?? "") : "";
}
