import { statSync } from "node:fs";
import { DaemonError, type Logger } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";

/**
 * Notices when a store's file, or its write-ahead log, is deleted or replaced while the store has it open.
 *
 * The system lets a process go on with a deleted file: what is written to it is lost with the process. A look at the name every
 * two seconds, and before a commit after a pause, keeps the time short in which a commit is acknowledged all the same.
 */
export class StoreFile {
  readonly #path: string;
  readonly #logger: Logger;
  /** Device and inode by path; empty while the store is not open. */
  #identities = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = 0;
  #lost: DaemonError | undefined;

  constructor(options: { path: string; logger: Logger }) {
    this.#path = options.path;
    this.#logger = options.logger;
  }

  /** Begins to watch the files that are there now. */
  opened(): void {
    this.#lost = undefined;
    for (const path of [this.#path, `${this.#path}-wal`]) {
      const identity = identityOf(path);
      if (identity !== undefined) this.#identities.set(path, identity);
    }
    this.#timer = setInterval(() => this.#look(), STORAGE_LIMITS.fileCheckMs).unref();
  }

  /** Ends the watch. */
  closed(): void {
    clearInterval(this.#timer);
    this.#identities = new Map();
  }

  /** Throws `STORAGE_FAILED` once a file is not the one that was opened, for ever: what was lost does not come back. */
  expectSame(): void {
    if (performance.now() - this.#lookedAt >= STORAGE_LIMITS.commitCheckMs) this.#look();
    if (this.#lost !== undefined) throw this.#lost;
  }

  #look(): void {
    this.#lookedAt = performance.now();
    if (this.#lost !== undefined) return;
    for (const [path, identity] of this.#identities) {
      const now = identityOf(path);
      if (now !== identity) this.#lose(path, now === undefined ? "deleted" : "replaced");
    }
  }

  #lose(path: string, what: string): void {
    clearInterval(this.#timer);
    this.#lost = new DaemonError(
      "STORAGE_FAILED",
      `The store's file ${path} was ${what} while the daemon had it open, so nothing can be stored any more. ` +
        "Stop the daemon, put the file back, and start the daemon again.",
    );
    this.#logger.error({ path, code: this.#lost.code }, this.#lost.message);
  }
}

function identityOf(path: string): string | undefined {
  // Inodes of some file systems do not fit into a double.
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
