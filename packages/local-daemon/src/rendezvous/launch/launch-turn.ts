import { open, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { PROCESS_LIMITS } from "../../limits/index.js";
import { fileErrorCode } from "../private-file.js";
import { STATE_FILES } from "../state-dir.js";

/**
 * The right to launch a daemon for a state directory, so that fifty programs that need a daemon start one process and not
 * fifty. It is a file that the first program creates, and removes afterwards.
 *
 * The file is a hint only: the daemon's own lock decides which process is the daemon. So a file older than
 * `PROCESS_LIMITS.launchTurnMs`, of a killed or slow program, is ignored; if the file cannot be created, every program launches.
 */
export class LaunchTurn {
  readonly #path: string;
  #isMine = false;
  #taking: Promise<boolean> | undefined;

  constructor(stateDir: string) {
    this.#path = join(stateDir, STATE_FILES.launching);
  }

  /** Whether no other program launches now. Costs one file access, so that many programs can poll while one daemon starts. */
  async isFree(): Promise<boolean> {
    if (this.#isMine) return true;
    const made = await stat(this.#path).catch(() => undefined);
    // A clock that was set back must not prolong the right.
    return made === undefined || Math.abs(Date.now() - made.mtimeMs) > PROCESS_LIMITS.launchTurnMs;
  }

  /**
   * Whether this program may launch. False while another program launches: call again later. Concurrent calls share one
   * result, because a second check would mistake our own file for another program's.
   */
  take(): Promise<boolean> {
    this.#taking ??= this.#claim().finally(() => {
      this.#taking = undefined;
    });
    return this.#taking;
  }

  async #claim(): Promise<boolean> {
    if (this.#isMine) return true;
    try {
      await (await open(this.#path, "wx", 0o600)).close();
      this.#isMine = true;
    } catch (error) {
      const isTaken = fileErrorCode(error) === "EEXIST";
      // The launch itself reports a full or read-only disk.
      if (!isTaken) return true;
      if (await this.isFree()) await rm(this.#path, { force: true }).catch(() => {});
    }
    return this.#isMine;
  }

  /** Prolongs the right of this program for what takes longer than the start of a daemon. Disposal ends that. */
  prolong(): Disposable {
    const renew = () => void utimes(this.#path, new Date(), new Date()).catch(() => {});
    const timer = setInterval(renew, PROCESS_LIMITS.launchTurnMs / 4);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Releases the right for the next program. */
  async release(): Promise<void> {
    if (!this.#isMine) return;
    this.#isMine = false;
    await rm(this.#path, { force: true }).catch(() => {});
  }
}
