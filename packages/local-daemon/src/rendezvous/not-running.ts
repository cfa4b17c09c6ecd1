import { ConnectionError } from "@daemon-sdk/protocol";

/** The error when no daemon runs for that state directory, and none may be started. */
export function notRunning(stateDir: string): ConnectionError {
  const text = `No daemon answers in ${stateDir}. Start one with "local-daemon start".`;
  return new ConnectionError("DAEMON_NOT_RUNNING", text);
}
