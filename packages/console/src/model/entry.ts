/** A prompt, or context that was added in the user's name. */
export interface UserEntry {
  readonly kind: "user";
  readonly key: string;
  readonly text: string;
  /** Unix milliseconds; absent for a prompt that the daemon has not confirmed. */
  readonly at?: number;
  /** The prompt waits: it was accepted, and its turn has not begun. */
  readonly isWaiting?: boolean;
}

/** Text of the agent, in Markdown. */
export interface TextEntry {
  readonly kind: "text";
  readonly key: string;
  readonly text: string;
  /** More text may follow. */
  readonly isOpen: boolean;
}

/** What the model thought. */
export interface ThinkingEntry {
  readonly kind: "thinking";
  readonly key: string;
  readonly text: string;
  readonly isOpen: boolean;
  readonly durationMs?: number;
}

/** The use of a tool, and what came of it. */
export interface ToolEntry {
  readonly kind: "tool";
  readonly key: string;
  readonly name: string;
  readonly input: unknown;
  readonly state: "running" | "done" | "failed";
  /** What the tool printed so far, or its result. */
  readonly output: string;
}

/** A failure, or a condition that the user has to know. */
export interface NoticeEntry {
  readonly kind: "notice";
  readonly key: string;
  readonly text: string;
  readonly isError: boolean;
}

/** How a turn ended. */
export interface TurnEndEntry {
  readonly kind: "end";
  readonly key: string;
  readonly outcome: string;
  readonly durationMs: number;
}

/** One row of a transcript. Never changed: a row that changes is replaced by another object with the same key. */
export type Entry = UserEntry | TextEntry | ThinkingEntry | ToolEntry | NoticeEntry | TurnEndEntry;
