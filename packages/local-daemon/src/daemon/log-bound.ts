import { copyFileSync, statSync, truncateSync } from "node:fs";

/**
 * Keeps a log at a bounded size: past `maxBytes` it goes on empty, and what it held lies beside it as `<path>.1`, so that two files
 * hold the recent past and no more.
 *
 * Copied and emptied, not renamed: the daemon's own stderr is appended to the same file, and the last words of a crash belong into
 * the log that people look at. What is no plain file is left alone.
 */
export class LogBound {
  readonly #path: string;
  readonly #maxBytes: number;
  #bytes: number;

  /** @param maxBytes `PROCESS_LIMITS.logBytes` */
  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#bytes = sizeOf(path);
  }

  /** Call it before so many bytes more are written. Never throws: a failure of the log must not end the daemon. */
  makeRoom(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes) return;
    // Bytes that a full disk refused were counted, too.
    this.#bytes = sizeOf(this.#path) + bytes;
    if (this.#bytes <= this.#maxBytes) return;
    this.#bytes = bytes;
    try {
      copyFileSync(this.#path, `${this.#path}.1`);
      truncateSync(this.#path);
    } catch {
      // The disk may be full: retried after another `maxBytes`.
    }
  }
}

/** Of a plain file; 0 of anything else, and of nothing. */
function sizeOf(path: string): number {
  try {
    const found = statSync(path);
    return found.isFile() ? found.size : 0;
  } catch {
    return 0;
  }
}
