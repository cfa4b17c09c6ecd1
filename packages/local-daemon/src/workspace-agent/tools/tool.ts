import type { ConfirmationDetails } from "@daemon-sdk/protocol";
import type { Workspace } from "../../workspace/index.js";

/** Environment of a running tool. */
export interface ToolContext {
  /** Id of this tool use. */
  readonly toolUseId: string;
  readonly workspace: Workspace;
  /** Aborted when the turn is interrupted; the tool then stops at once. */
  readonly signal: AbortSignal;
  /** Sends output of the running tool. */
  progress(text: string): void;
  /** Called with the real path before a file is changed, so that it can be rewound. */
  beforeChange(real: string): Promise<void>;
}

/** One tool use, as a model would request it. */
export interface ToolUse {
  readonly name: "LS" | "Read" | "Grep" | "Create" | "Edit" | "Execute" | "AskUser";
  readonly input: Record<string, unknown>;
  /** The action that needs permission; absent for tools that only read. */
  readonly confirmation?: ConfirmationDetails;
  /** Runs the tool, and resolves with its result. A rejection becomes a result with `isError`. */
  run(context: ToolContext): Promise<string>;
}

/** Largest file that is read, or shown before a change, in bytes. Results are bounded further. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Longest result of a tool in characters: readable, and well below a frame. */
const MAX_RESULT_CHARS = 100_000;

/** Truncates a result to its limit, with a note. */
export function clipped(text: string): string {
  if (text.length <= MAX_RESULT_CHARS) return text;
  return `${text.slice(0, MAX_RESULT_CHARS)}\n… (${text.length - MAX_RESULT_CHARS} characters more)`;
}
