import { existsSync } from "node:fs";
import { cp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ConnectionError, type Logger, silentLogger } from "@daemon-sdk/protocol";
import { lockStateDir } from "./lock-state-dir.js";
import { storageFailure, TEMP_SUFFIX } from "./private-file.js";
import { checkStateDir, defaultStateDir, runtimeDir, STATE_FILES } from "./state-dir.js";

/** Files to move, the database last: while the database is missing, the next start moves all files again. */
const MOVED = [
  STATE_FILES.config,
  STATE_FILES.log,
  STATE_FILES.agents,
  `${STATE_FILES.database}-wal`,
  STATE_FILES.database,
] as const;

/**
 * Moves the state that an earlier version kept in `$XDG_RUNTIME_DIR/daemon-sdk`, which a log-out empties, to `stateDir`.
 *
 * For the holder of `stateDir`'s lock, and only if `stateDir` is the default directory. Existing files are not overwritten.
 * Rejects with `DAEMON_START_FAILED` while a daemon of that version runs, with `STORAGE_FULL` or `STORAGE_FAILED`.
 */
export async function moveFormerState(
  stateDir: string,
  logger: Pick<Logger, "info" | "warn">,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const former = formerState(stateDir, env);
  if (former === undefined || !(await checkStateDir(former))) return;
  if (existsSync(join(stateDir, STATE_FILES.database))) {
    logger.warn(
      { former, stateDir },
      "an earlier version left sessions behind; DAEMON_SDK_HOME with that path shows them",
    );
    return;
  }
  const lock = await lockFormer(former);
  try {
    for (const name of MOVED) await copyInto(former, stateDir, name);
    await Promise.all(
      Object.values(STATE_FILES).map((name) => rm(join(former, name), { recursive: true, force: true })),
    );
    for (const suffix of ["-wal", "-shm"]) await rm(join(former, STATE_FILES.database + suffix), { force: true });
    logger.info({ former, stateDir }, "moved the sessions of an earlier version");
  } finally {
    lock.release();
  }
}

/**
 * As {@link moveFormerState}, for a caller without the lock, which reads the configuration before the daemon is made. Rejects
 * with `DAEMON_ALREADY_RUNNING`, too.
 */
export async function takeOverFormerState(stateDir: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (formerState(stateDir, env) === undefined) return;
  const lock = await lockStateDir(stateDir);
  try {
    await moveFormerState(stateDir, silentLogger, env);
  } finally {
    lock.release();
  }
}

/** Directory of an earlier version's state that belongs to `stateDir`; undefined if there is none. */
function formerState(stateDir: string, env: NodeJS.ProcessEnv): string | undefined {
  const former = runtimeDir(env);
  if (former === undefined || former === stateDir || stateDir !== defaultStateDir(env)) return undefined;
  return existsSync(join(former, STATE_FILES.database)) ? former : undefined;
}

async function lockFormer(former: string) {
  try {
    return await lockStateDir(former);
  } catch (cause) {
    if (!ConnectionError.is(cause, "DAEMON_ALREADY_RUNNING")) throw cause;
    throw new ConnectionError(
      "DAEMON_START_FAILED",
      `A daemon of an earlier version runs, with its state in ${former}. ` +
        `Stop it with "DAEMON_SDK_HOME=${former} local-daemon stop"; its sessions are moved at the next start.`,
      { cause },
    );
  }
}

/** Copies, because the two directories are on different file systems. */
async function copyInto(former: string, stateDir: string, name: string): Promise<void> {
  const [from, to] = [join(former, name), join(stateDir, name)];
  if (!existsSync(from)) return;
  try {
    await rm(to + TEMP_SUFFIX, { recursive: true, force: true });
    await cp(from, to + TEMP_SUFFIX, { recursive: true, preserveTimestamps: true });
    await rename(to + TEMP_SUFFIX, to);
  } catch (cause) {
    await rm(to + TEMP_SUFFIX, { recursive: true, force: true }).catch(() => {});
    throw storageFailure("move an earlier version's state to", to, cause);
  }
}
