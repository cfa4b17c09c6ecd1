import { abortReason, TimeoutError } from "@daemon-sdk/protocol";

/** How long to wait for a reply. */
export interface ReplyOptions {
  /** Stops waiting; the call rejects with the signal's reason. The daemon may still act on the request. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

interface Waiting {
  readonly survivesLoss: boolean;
  readonly isForWorker: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Describes one wait. */
export interface ReplyWait extends ReplyOptions {
  /** For the text of a time-out: `The answer of Bob`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** The wait survives a reconnect, because the mailbox delivers the reply. */
  readonly survivesLoss?: boolean;
  /** The wait is for the spawn manager. The original's ERROR about its absence names no request. */
  readonly isForWorker?: boolean;
}

/** Calls that wait for a reply, by the id of the envelope that requested it. Each settles exactly once. */
export class PendingReplies {
  readonly #waiting = new Map<string, Waiting>();

  /** Waits for {@link settle} or {@link fail} with that id. */
  wait<Value>(
    id: string,
    { what, timeoutMs, signal, survivesLoss = false, isForWorker = false }: ReplyWait,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const finish = (): void => {
        this.#waiting.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const fail = (error: unknown): void => {
        finish();
        reject(error);
      };
      const onAbort = (): void => signal && fail(abortReason(signal));
      const timer = setTimeout(() => fail(new TimeoutError(what, timeoutMs)), timeoutMs);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.set(id, {
        survivesLoss,
        isForWorker,
        resolve: (value) => {
          finish();
          resolve(value as Value);
        },
        reject: fail,
      });
    });
  }

  /** Resolves the call of that id. False when none waits. */
  settle(id: string, value: unknown): boolean {
    const waiting = this.#waiting.get(id);
    waiting?.resolve(value);
    return waiting !== undefined;
  }

  /** Rejects the call of that id. False when none waits. */
  fail(id: string, error: unknown): boolean {
    const waiting = this.#waiting.get(id);
    waiting?.reject(error);
    return waiting !== undefined;
  }

  /** The link was lost: rejects the calls whose reply can come over that link only. */
  linkLost(error: unknown): void {
    for (const waiting of [...this.#waiting.values()]) if (!waiting.survivesLoss) waiting.reject(error);
  }

  /** There is no spawn manager: rejects all calls that wait for one. */
  failWorkerCalls(error: unknown): void {
    for (const waiting of [...this.#waiting.values()]) if (waiting.isForWorker) waiting.reject(error);
  }

  /** The client has ended: rejects every call. */
  failAll(error: unknown): void {
    for (const waiting of [...this.#waiting.values()]) waiting.reject(error);
  }
}
