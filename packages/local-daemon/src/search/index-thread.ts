import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Worker } from "node:worker_threads";
import { DaemonError, type DaemonErrorCode, type Logger } from "@daemon-sdk/protocol";
import { SEARCH_LIMITS } from "../limits/index.js";
import type { IndexReply, IndexRequest, IndexResults, NumberedRequest } from "./search-messages.js";

/** Options of {@link IndexThread}. */
export interface IndexThreadOptions {
  /** The index's file, or `:memory:`. */
  readonly path: string;
  readonly logger: Logger;
  /** The program of the thread; default the one that the build puts beside this file. */
  readonly program?: string | undefined;
}

/** Whoever keeps the index: a thread, or this one where the thread's program is missing. */
interface Keeper {
  post(request: NumberedRequest): void;
  /** Whether calls are open, which hold the process. */
  hold(isBusy: boolean): void;
  stop(): Promise<void>;
}

interface Open {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** The index was thrown away because its file was broken. Open it again. */
export class IndexBroken extends DaemonError {
  static override readonly brand: string = "IndexBroken";
}

/**
 * The thread that keeps the search index: started by the first request, replaced by the next one when it has ended.
 *
 * It does not hold the process, except while a request is open.
 */
export class IndexThread {
  readonly #options: IndexThreadOptions;
  readonly #open = new Map<number, Open>();
  #keeper: Promise<Keeper> | undefined;
  #lastNo = 0;

  constructor(options: IndexThreadOptions) {
    this.#options = options;
  }

  /** Counts the threads that were started: what was said to an earlier one, the present one does not know. */
  generation = 0;

  /** Asks the thread. Rejects with what failed there, {@link IndexBroken}, or `REQUEST_TIMEOUT`; the thread is replaced then. */
  async request<Kind extends IndexRequest["kind"]>(
    request: Extract<IndexRequest, { kind: Kind }>,
  ): Promise<IndexResults[Kind]> {
    this.#keeper ??= this.#start();
    const keeper = await this.#keeper.catch((error: unknown) => {
      this.#keeper = undefined;
      throw error;
    });
    const no = ++this.#lastNo;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<IndexResults[Kind]>((resolve, reject) => {
        this.#open.set(no, { resolve, reject });
        timer = setTimeout(() => this.#giveUp(request.kind), SEARCH_LIMITS.replyMs).unref();
        keeper.hold(true);
        keeper.post({ no, request });
      });
    } finally {
      clearTimeout(timer);
      this.#open.delete(no);
      keeper.hold(this.#open.size > 0);
    }
  }

  /** Closes the index and ends the thread. Requests that are open are rejected. */
  async stop(): Promise<void> {
    if (this.#keeper === undefined) return;
    const late = new Promise<void>((resolve) => setTimeout(resolve, SEARCH_LIMITS.closeMs).unref());
    await Promise.race([this.request({ kind: "close" }).catch(() => {}), late]);
    const keeper = this.#keeper;
    this.#ended("CONNECTION_CLOSED", "The search is closed.");
    await (await keeper)?.stop();
  }

  #giveUp(kind: string): void {
    const keeper = this.#keeper;
    this.#options.logger.warn(
      { kind, replyMs: SEARCH_LIMITS.replyMs },
      "the search index does not answer and is replaced",
    );
    // Its successor waits until it has ended: one of them only can hold the file.
    const gone = keeper?.then((old) => old.stop());
    this.#ended("REQUEST_TIMEOUT", `The search index did not answer within ${SEARCH_LIMITS.replyMs} ms (replyMs).`);
    this.#keeper = gone?.then(() => this.#start());
  }

  #ended(code: DaemonErrorCode, message: string): void {
    this.#keeper = undefined;
    this.generation += 1;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(new DaemonError(code, message));
  }

  #receive(reply: IndexReply): void {
    const open = this.#open.get(reply.no);
    if (open === undefined) return;
    if ("result" in reply) {
      open.resolve(reply.result as never);
      return;
    }
    const { code, message, isBroken } = reply.error;
    open.reject(isBroken ? new IndexBroken(code, message) : new DaemonError(code, message));
  }

  async #start(): Promise<Keeper> {
    const { path, logger, program = fileURLToPath(new URL("search-worker.cjs", import.meta.url)) } = this.#options;
    if (existsSync(program)) return this.#startThread(path, program);
    logger.warn({ program }, "the search's program is missing: the index is kept in the daemon's own thread");
    const { IndexKeeper } = await import("./index-keeper.js");
    const keeper = new IndexKeeper(path, (reply) => this.#receive(reply));
    return { post: (request) => keeper.receive(request), hold: () => {}, stop: async () => {} };
  }

  async #startThread(path: string, program: string): Promise<Keeper> {
    const { Worker } = await import("node:worker_threads");
    const worker = new Worker(program, {
      workerData: path,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: SEARCH_LIMITS.workerHeapMb },
    });
    worker.unref();
    worker.on("message", (reply: IndexReply) => this.#receive(reply));
    const generation = this.generation;
    worker.on("error", (error) => {
      this.#options.logger.error({ error }, "the search's thread failed");
      if (generation === this.generation) this.#ended("INTERNAL", `The search's thread failed: ${error.message}`);
    });
    return keeperIn(worker);
  }
}

function keeperIn(worker: Worker): Keeper {
  return {
    post: (request) => worker.postMessage(request),
    hold: (isBusy) => (isBusy ? worker.ref() : worker.unref()),
    stop: async () => void (await worker.terminate()),
  };
}
