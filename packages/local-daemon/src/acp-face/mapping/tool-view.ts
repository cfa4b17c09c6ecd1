import type {
  SessionUpdate,
  ToolCallContent,
  ToolCallLocation,
  ToolCallStatus,
  ToolKind,
} from "@agentclientprotocol/sdk";
import { isRecord } from "@daemon-sdk/protocol";
import { FACE_LIMITS } from "../../limits/index.js";
import { recordsOf, textBlock, textOf } from "./content.js";

/** Kinds of ACP by the names that tools have here; a name that is itself a kind keeps it. */
const KIND_OF_NAME: Readonly<Record<string, ToolKind>> = {
  Read: "read",
  LS: "search",
  Glob: "search",
  Grep: "search",
  Edit: "edit",
  MultiEdit: "edit",
  Create: "edit",
  Write: "edit",
  ApplyPatch: "edit",
  Execute: "execute",
  Bash: "execute",
  FetchUrl: "fetch",
  WebSearch: "fetch",
  ExitSpecMode: "switch_mode",
};

const KINDS: ReadonlySet<string> = new Set<ToolKind>([
  "read",
  "edit",
  "delete",
  "move",
  "search",
  "execute",
  "think",
  "fetch",
  "switch_mode",
  "other",
]);

/** Keys of a tool's input that say in one line what it does, the most telling first. */
const TITLE_KEYS = ["command", "file_path", "path", "filePath", "pattern", "query", "url"];

/** The fields of a tool call that an editor shows. */
export interface ToolFields {
  readonly title?: string;
  readonly kind?: ToolKind;
  readonly status?: ToolCallStatus;
  readonly content?: ToolCallContent[];
  readonly locations?: ToolCallLocation[];
  readonly rawInput?: unknown;
  readonly rawOutput?: unknown;
}

/**
 * One tool call as an editor knows it. The first change announces it; each later one is an update with the fields that are others
 * now, so nothing is sent twice.
 */
export class ToolView {
  readonly #id: string;
  #name: string;
  #fields: ToolFields = { status: "pending" };
  /** JSON of each field as the editor has it. */
  readonly #sent = new Map<string, string>();
  #isAnnounced = false;
  /** Whether title and kind are the agent's own: what is made of the input gives way. */
  #isDescribed = false;
  #text = "";
  #shown: ToolCallContent[] = [];

  constructor(id: string, name: string) {
    this.#id = id;
    this.#name = name;
  }

  get isEnded(): boolean {
    return this.#fields.status === "completed" || this.#fields.status === "failed";
  }

  /** The input of the call, which may come in several steps. */
  input(name: string, input: unknown): SessionUpdate[] {
    this.#name = name;
    return this.#change({ rawInput: input, ...this.#described(input) });
  }

  executing(): SessionUpdate[] {
    return this.isEnded ? [] : this.#change({ status: "in_progress" });
  }

  /** A further part of what the tool writes while it runs. */
  progress(text: string): SessionUpdate[] {
    if (this.isEnded || text === "") return [];
    this.#text = (this.#text + text).slice(-FACE_LIMITS.progressChars);
    return this.#change({ status: "in_progress", content: this.#content });
  }

  ended(text: string, isError: boolean): SessionUpdate[] {
    if (this.isEnded) return [];
    if (text !== "") this.#text = text;
    return this.#change({ status: isError ? "failed" : "completed", content: this.#content });
  }

  /** What an agent of ACP reports beside the input: its own title and kind, places, differences. */
  details({ title, kind, locations, content, rawOutput }: Readonly<Record<string, unknown>>): SessionUpdate[] {
    this.#isDescribed ||= typeof title === "string";
    const shown = recordsOf(content).filter(isDiff);
    if (content !== undefined) this.#shown = shown;
    return this.#change({
      ...(typeof title === "string" && { title }),
      ...(isKind(kind) && { kind }),
      ...(Array.isArray(locations) && { locations: recordsOf(locations).filter(isLocation) }),
      ...(content !== undefined && { content: this.#content }),
      ...(rawOutput !== undefined && { rawOutput }),
    });
  }

  get #content(): ToolCallContent[] {
    const text: ToolCallContent[] = this.#text === "" ? [] : [{ type: "content", content: textBlock(this.#text) }];
    return [...this.#shown, ...text];
  }

  #described(input: unknown): ToolFields {
    if (this.#isDescribed) return {};
    return { title: titleOf(this.#name, input), kind: kindOf(this.#name) };
  }

  #change(fields: ToolFields): SessionUpdate[] {
    this.#fields = { ...this.#fields, ...fields };
    const changed = Object.entries(this.#fields).filter(([key, value]) => {
      const text = JSON.stringify(value);
      if (text === this.#sent.get(key) || (text === "[]" && !this.#sent.has(key))) return false;
      this.#sent.set(key, text);
      return true;
    });
    const update = Object.fromEntries(changed);
    if (!this.#isAnnounced) return [this.#announcement(update)];
    return changed.length === 0 ? [] : [{ sessionUpdate: "tool_call_update", toolCallId: this.#id, ...update }];
  }

  #announcement(fields: ToolFields): SessionUpdate {
    this.#isAnnounced = true;
    const { title = titleOf(this.#name, undefined), kind = kindOf(this.#name) } = this.#fields;
    return { sessionUpdate: "tool_call", toolCallId: this.#id, name: this.#name, ...fields, title, kind };
  }
}

/** Title of a call of that tool, for people. */
export function titleOf(name: string, input: unknown): string {
  const key = isRecord(input) ? TITLE_KEYS.find((one) => typeof input[one] === "string") : undefined;
  const what = key === undefined || !isRecord(input) ? "" : ` ${String(input[key]).split("\n", 1)[0]}`;
  return `${name}${what}`.slice(0, FACE_LIMITS.titleChars);
}

export function kindOf(name: string): ToolKind {
  return isKind(name) ? name : Object.hasOwn(KIND_OF_NAME, name) ? (KIND_OF_NAME[name] as ToolKind) : "other";
}

function isKind(kind: unknown): kind is ToolKind {
  return typeof kind === "string" && KINDS.has(kind);
}

function isLocation(value: Record<string, unknown>): value is ToolCallLocation & Record<string, unknown> {
  return typeof value.path === "string";
}

/** An agent's terminals are unknown to the editor; their output is among the text. */
function isDiff(item: Record<string, unknown>): item is ToolCallContent & Record<string, unknown> {
  return item.type === "diff" && textOf(item.path) !== undefined && textOf(item.newText) !== undefined;
}
