import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import type { Logger } from "@daemon-sdk/protocol";
import { STORAGE_LIMITS } from "../limits/index.js";
import type { SqliteDatabase } from "./sqlite-database.js";

/** What the thread is asked for. */
export type CheckpointRequest = "checkpoint" | "truncate" | "close";

/** What the thread answers to `checkpoint` and `truncate`: the length of the log, or why there was no checkpoint. */
export type CheckpointReply = { readonly logBytes: number } | { readonly error: string };

/** Options of {@link Checkpointer}. */
export interface CheckpointerOptions {
  /** The store's file. */
  readonly path: string;
  /** The connection that commits; made with `isCheckpointedElsewhere`. */
  readonly database: Pick<SqliteDatabase, "writtenBytes" | "checkpointHere">;
  readonly logger: Logger;
  /** The program of the thread. */
  readonly program: string;
}

/** The program that the build puts beside this file; undefined where it is missing, as in sources that were not built. */
export function checkpointProgram(): string | undefined {
  const program = fileURLToPath(new URL("checkpoint-worker.cjs", import.meta.url));
  return existsSync(program) ? program : undefined;
}

/**
 * Checkpoints the store's write-ahead log in a thread of its own.
 *
 * A checkpoint writes megabytes and flushes them to the disk, 10 to 100 ms. As part of a commit it would stop the event loop, and
 * so everybody, for whoever writes much. In the thread it stops nobody. The log begins anew only after a checkpoint to its end,
 * so above `walHoldBytes` commits wait, asynchronously, for the rest. Where the thread fails, commits checkpoint as they did.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions;
  #thread: Promise<Worker | undefined> | undefined;
  /** What was written when the last checkpoint was asked for. */
  #writtenBytes = 0;
  #isBusy = false;
  /** A checkpoint is wanted after the one that runs: one that cuts the log off. */
  #isTruncating = false;
  /** The checkpoint that runs began while commits waited. */
  #isLast = false;
  #isClosed = false;
  #hold: { readonly released: Promise<void>; release(): void } | undefined;

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  /** Resolves when the next commit may begin; undefined while it may at once. */
  get room(): Promise<void> | undefined {
    return this.#hold?.released;
  }

  /** Called after each commit. */
  committed(): void {
    const written = this.#options.database.writtenBytes - this.#writtenBytes;
    if (written < STORAGE_LIMITS.checkpointBytes || this.#isClosed) return;
    if (!this.#isBusy) this.#checkpoint();
    else if (written >= STORAGE_LIMITS.walHoldBytes) this.#holdCommits();
  }

  /** Copies the whole log into the file soon, and cuts it off: a file that has shrunk is shorter then. */
  truncate(): void {
    if (this.#isClosed) return;
    this.#isTruncating = true;
    if (!this.#isBusy) this.#checkpoint();
  }

  /** Closes the thread's connection. Call it before that of the store is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = await this.#thread;
    this.#release();
    if (thread === undefined) return;
    const exited = new Promise((resolve) => thread.once("exit", resolve));
    thread.ref();
    thread.postMessage("close" satisfies CheckpointRequest);
    await exited;
  }

  #checkpoint(): void {
    this.#isBusy = true;
    this.#isLast = this.#hold !== undefined;
    this.#writtenBytes = this.#options.database.writtenBytes;
    const request: CheckpointRequest = this.#isTruncating ? "truncate" : "checkpoint";
    this.#isTruncating = false;
    this.#thread ??= this.#start();
    void this.#thread.then((thread) => thread?.postMessage(request));
  }

  #receive(reply: CheckpointReply): void {
    this.#isBusy = false;
    if ("error" in reply) {
      // Tried again after as much has been written again, as SQLite itself would.
      this.#options.logger.warn({ error: reply.error }, "the store's log could not be checkpointed");
      this.#release();
      return;
    }
    if (this.#isTruncating && !this.#isClosed) {
      this.#checkpoint();
      return;
    }
    const isDone = this.#isLast || this.#options.database.writtenBytes === this.#writtenBytes;
    if (isDone || this.#isClosed || reply.logBytes < STORAGE_LIMITS.walHoldBytes) this.#release();
    else {
      this.#holdCommits();
      this.#checkpoint();
    }
  }

  #holdCommits(): void {
    if (this.#hold !== undefined) return;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#hold = { released, release };
  }

  #release(): void {
    this.#hold?.release();
    this.#hold = undefined;
  }

  async #start(): Promise<Worker | undefined> {
    const { path, program } = this.#options;
    try {
      const { Worker } = await import("node:worker_threads");
      const thread = new Worker(program, {
        workerData: path,
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: STORAGE_LIMITS.checkpointHeapMb },
      });
      thread.unref();
      thread.on("message", (reply: CheckpointReply) => this.#receive(reply));
      thread.on("error", (error) => this.#failed(error));
      thread.once("exit", () => this.#failed());
      return thread;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /** The thread has ended. */
  #failed(error?: unknown): void {
    this.#release();
    this.#thread = Promise.resolve(undefined);
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.logger.error({ error: String(error) }, "the thread that checkpoints failed; commits checkpoint now");
    this.#options.database.checkpointHere();
  }
}
