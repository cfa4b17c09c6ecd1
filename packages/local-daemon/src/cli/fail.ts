import { DaemonError } from "@daemon-sdk/protocol";

/** Exit codes of the command line. They are in its help and in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** An error, or a turn that failed. */
  failed: 1,
  usage: 2,
  /** No daemon runs. */
  notRunning: 3,
  /** The turn completed, and a request of its agent was refused or cancelled: what the agent asked for was not done. */
  refused: 4,
  /** Ctrl-C, as shells count SIGINT: 128 + 2. */
  interrupted: 130,
  /** Nobody reads the output any more, as shells count SIGPIPE: 128 + 13. */
  readerGone: 141,
} as const;

/** One line for people, with the code of docs/errors.md for scripts. */
export function describeError(error: unknown): string {
  if (DaemonError.is(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** An error as `--json` prints it (docs/cli.md, "JSON"). */
export interface JsonFailure {
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

/** The error for programs. One without a code of its own has the code `INTERNAL`. */
export function jsonFailure(error: unknown): JsonFailure {
  const { code, retryable } = DaemonError.is(error) ? error : { code: "INTERNAL", retryable: false };
  return { error: { code, message: error instanceof Error ? error.message : String(error), retryable } };
}

/** The exit code of a command that ended with that error. */
export function exitCodeOf(error: unknown): number {
  if (DaemonError.is(error, "DAEMON_NOT_RUNNING")) return EXIT.notRunning;
  return DaemonError.is(error, "INVALID_OPTION") ? EXIT.usage : EXIT.failed;
}
