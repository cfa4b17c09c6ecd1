import type { ConfirmationDetails } from "@daemon-sdk/protocol";
import type { Workspace } from "../workspace.js";

/** What a tool works with while it runs. */
export interface ToolContext {
  /** Id of this use. */
  readonly toolUseId: string;
  readonly workspace: Workspace;
  /** Aborted when the turn is interrupted; the tool then stops at once. */
  readonly signal: AbortSignal;
  /** Tells what the tool prints while it runs. */
  progress(text: string): void;
  /** Called with the real path before a file is changed, so that it can be rewound. */
  beforeChange(real: string): Promise<void>;
}

/** One use of a tool, as the model of a bigger agent would ask for it. */
export interface ToolUse {
  readonly name: "LS" | "Read" | "Grep" | "Create" | "Edit" | "Execute" | "AskUser";
  readonly input: Record<string, unknown>;
  /** What a person has to agree to; absent for tools that only look. */
  readonly confirmation?: ConfirmationDetails;
  /** Does it, and resolves with what it has to say. A rejection becomes a result with `isError`. */
  run(context: ToolContext): Promise<string>;
}

/** Largest file that is read or shown before a change, in bytes; a result is shorter still. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Longest result of a tool, in characters: what a person reads, and well below a frame. */
const MAX_RESULT_CHARS = 100_000;

/** Cuts a result to its limit, and says so in it. */
export function clipped(text: string): string {
  if (text.length <= MAX_RESULT_CHARS) return text;
  return `${text.slice(0, MAX_RESULT_CHARS)}\n… (${text.length - MAX_RESULT_CHARS} characters more)`;
}
