/** The umask that the process was started with; undefined: it was not changed. */
let started: number | undefined;

/** Files of the daemon are for its user alone: whatever the process creates from now on is closed to group and others. */
export function tightenUmask(): void {
  started ??= process.umask(0o077);
}

/**
 * Calls `start` under the umask that the process was started with, for what it starts: the files of a project are the user's and not
 * the daemon's. `start` must create its process before it returns. Files that other threads create meanwhile name their mode.
 */
export function underUsersUmask<Result>(start: () => Result): Result {
  if (started === undefined) return start();
  const tight = process.umask(started);
  try {
    return start();
  } finally {
    process.umask(tight);
  }
}
