/** Receives an update of the agent: the params of `session/update`, in the order of the lines. */
export interface UpdateReader {
  read(update: Readonly<Record<string, unknown>>): void;
}

/** What the agent has reported of its session outside of the conversation. */
export interface SessionReport {
  /** Commands that a prompt can begin with, as the agent lists them. */
  readonly commands: readonly CommandInfo[];
  readonly contextUsage: ContextUsage | undefined;
}

/** A command of the agent. It is used by a prompt that begins with `/` and its name. */
export interface CommandInfo {
  readonly name: string;
  readonly description: string;
  /** What the command wants after its name. */
  readonly hint?: string;
}

/** How much of the model's context is used, in tokens. */
export interface ContextUsage {
  readonly usedTokens: number;
  readonly contextTokens: number;
  readonly cost?: Readonly<Record<string, unknown>>;
}
