import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PROCESS_LIMITS } from "../limits/index.js";
import { STATE_FILES } from "./state-dir.js";

/**
 * Whose turn it is to launch a daemon for a state directory, so that fifty programs that want one start one process and not
 * fifty. A file that the first of them makes, and removes when it is done.
 *
 * Only a hint: the daemon's own lock decides who is the daemon. So a file older than `PROCESS_LIMITS.launchTurnMs`, whose
 * maker was killed or is too slow, is no obstacle, and where it cannot be made at all everybody launches.
 */
export class LaunchTurn {
  readonly #path: string;
  #isMine = false;
  #taking: Promise<boolean> | undefined;

  constructor(stateDir: string) {
    this.#path = join(stateDir, STATE_FILES.launching);
  }

  /** Whether nobody else launches at the moment. Costs one look at a file: fifty may ask often while one daemon starts. */
  async isFree(): Promise<boolean> {
    if (this.#isMine) return true;
    const made = await stat(this.#path).catch(() => undefined);
    // A clock that was set back must not make it last.
    return made === undefined || Math.abs(Date.now() - made.mtimeMs) > PROCESS_LIMITS.launchTurnMs;
  }

  /**
   * Whether this program may launch; otherwise somebody else does at the moment, and it is worth asking again. Asked while
   * it finds out, it gives the same answer: a second look would take our own file for somebody else's.
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
      const isTaken = error instanceof Error && "code" in error && error.code === "EEXIST";
      // A disk that is full or read-only is the launch's to tell.
      if (!isTaken) return true;
      if (await this.isFree()) await rm(this.#path, { force: true }).catch(() => {});
    }
    return this.#isMine;
  }

  /** Lets the next one launch, if there has to be one. */
  async release(): Promise<void> {
    if (!this.#isMine) return;
    this.#isMine = false;
    await rm(this.#path, { force: true }).catch(() => {});
  }
}
