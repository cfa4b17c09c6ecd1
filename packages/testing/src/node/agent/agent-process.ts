/**
 * A process of an agent, or a substitute in memory: lines in, lines out, and an exit. Set the handlers before the first
 * write.
 */
export interface AgentProcess {
  /** Called with each line of stdout, without the line's end. */
  onLine: ((line: string) => void) | undefined;
  /** Called with pieces of stderr. */
  onStderr: ((text: string) => void) | undefined;
  /** Called once, after the last line. A program that could not be started exits with 127. */
  onExit: ((exit: AgentExit) => void) | undefined;
  /** Writes one line to stdin. */
  write(line: string): void;
  /** Closes stdin, which makes the agent exit. */
  endInput(): void;
  /** Kills the process. No effect after its exit. */
  kill(): void;
}

/** How an agent's process ended. */
export interface AgentExit {
  readonly code: number | null;
  readonly signal: string | null;
}
