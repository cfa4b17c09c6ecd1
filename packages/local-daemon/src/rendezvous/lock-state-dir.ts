import { join } from "node:path";
import { acquireInstanceLock, type InstanceLock } from "./single-instance.js";
import { STATE_FILES } from "./state-dir.js";

/**
 * Takes the lock of a state directory, so that no daemon runs on it until the lock is released. Rejects with
 * `DAEMON_ALREADY_RUNNING` while one runs.
 */
export function lockStateDir(stateDir: string): Promise<InstanceLock> {
  return acquireInstanceLock(join(stateDir, STATE_FILES.lock));
}
