import { abortReason, InvalidOptionError, TimeoutError } from "../errors.js";

/** A call that waits for its response. */
export interface PendingRequest {
  readonly id: string;
  /** Full wire name, for the message of a time-out. */
  readonly method: string;
  readonly params: object;
  /** 0: no time-out. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onResult: ((result: unknown) => void) | undefined;
}

interface Entry {
  readonly request: PendingRequest;
  readonly settle: (outcome: Outcome) => void;
}

type Outcome = { readonly result: unknown } | { readonly error: Error };

/** Longest delay of a timer; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls in flight, by id. Each settles exactly once: by its result, an error, its time-out, its signal, or the end of the
 * connection, whichever is first. Then its timer and its abort listener are removed.
 */
export class PendingRequests {
  readonly #entries = new Map<string, Entry>();

  /** Calls that wait. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a call of that id waits. */
  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** The call of that id; undefined when none waits. */
  get(id: string): PendingRequest | undefined {
    return this.#entries.get(id)?.request;
  }

  /** Registers a call. Rejects at once with the signal's reason when the signal is aborted already. */
  add(request: PendingRequest): Promise<unknown> {
    const fault = this.#faultOf(request);
    if (fault !== undefined) return Promise.reject(fault);
    return new Promise((resolve, reject) => {
      const { id, signal } = request;
      const timer = this.#startTimer(request);
      const onAbort = () => this.reject(id, abortReason(signal as AbortSignal));
      signal?.addEventListener("abort", onAbort, { once: true });
      const settle = (outcome: Outcome): void => {
        this.#entries.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.result);
      };
      this.#entries.set(id, { request, settle });
    });
  }

  /**
   * Settles a call with its result; false when none of that id waits. `onResult` runs first, in this stack; when it
   * throws, the call rejects with that.
   */
  resolve(id: string, result: unknown): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    // Removed first: whatever `onResult` does, a second response finds no call.
    this.#entries.delete(id);
    try {
      entry.request.onResult?.(result);
    } catch (error) {
      entry.settle({ error: error as Error });
      return true;
    }
    entry.settle({ result });
    return true;
  }

  /** Settles a call with an error; false when none of that id waits. */
  reject(id: string, error: Error): boolean {
    const entry = this.#entries.get(id);
    entry?.settle({ error });
    return entry !== undefined;
  }

  /** Settles all calls with one error. */
  rejectAll(error: Error): void {
    for (const { settle } of [...this.#entries.values()]) settle({ error });
  }

  #faultOf({ id, signal, timeoutMs }: PendingRequest): Error | undefined {
    if (signal?.aborted === true) return abortReason(signal);
    if (this.#entries.has(id)) return new InvalidOptionError("id", "an id that no other pending call has");
    if (!(timeoutMs >= 0))
      return new InvalidOptionError("timeoutMs", "milliseconds from 0, which means no limit", timeoutMs);
    return undefined;
  }

  #startTimer({ id, method, timeoutMs }: PendingRequest): ReturnType<typeof setTimeout> | undefined {
    if (timeoutMs === 0 || timeoutMs > MAX_TIMER_MS) return undefined;
    return setTimeout(() => this.reject(id, new TimeoutError(`Request ${method}`, timeoutMs)), timeoutMs);
  }
}
