/** What the exit code of the daemon's process means; the program that started it decides by them. */
export const DAEMON_EXIT = {
  /** Asked to stop, and stopped. */
  stopped: 0,
  /** Could not start, or failed; its last lines in the log say why. */
  failed: 1,
  /** Another daemon has the state directory: whoever wanted one can use that. */
  alreadyRunning: 3,
  /** Could not start, and cannot until somebody changes something; the log's last line names the error's code and the remedy. */
  refused: 4,
} as const;
