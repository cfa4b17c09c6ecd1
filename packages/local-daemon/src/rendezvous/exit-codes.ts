/** Exit codes of the daemon's process, for the program that started it. */
export const DAEMON_EXIT = {
  /** Stopped on request. */
  stopped: 0,
  /** Could not start, or failed. The last lines of the log have the reason. */
  failed: 1,
  /** Another daemon has the state directory, and can be used. */
  alreadyRunning: 3,
  /** Could not start, and cannot until somebody changes something; the log's last line names the error's code and the remedy. */
  refused: 4,
} as const;
