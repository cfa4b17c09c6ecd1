import { DaemonError } from "@daemon-sdk/protocol";

/** Exit codes of the command line, listed in its help. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notRunning: 3, interrupted: 130 } as const;

/** One line for people, with the code of docs/errors.md for scripts. */
export function describeError(error: unknown): string {
  if (DaemonError.is(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
