/**
 * A process of an agent, or what stands for one: lines in, lines out, and an end. Handlers are set before anything is
 * written to it.
 */
export interface AgentProcess {
  /** Called with each line of its stdout, without the line's end. */
  onLine: ((line: string) => void) | undefined;
  /** Called with pieces of its stderr. */
  onStderr: ((text: string) => void) | undefined;
  /** Called once, after the last line. A program that could not be started exits with 127. */
  onExit: ((exit: AgentExit) => void) | undefined;
  /** Writes one line to its stdin. */
  write(line: string): void;
  /** Ends its stdin, which asks it to end. */
  endInput(): void;
  /** Ends it now; nothing happens where it has ended. */
  kill(): void;
}

/** How an agent's process ended. */
export interface AgentExit {
  readonly code: number | null;
  readonly signal: string | null;
}
