import { DaemonError, type Logger, RpcCode, type RpcError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/** A call that failed. */
export interface Refusal {
  readonly error: unknown;
  /** What it was answered with. */
  readonly answer: RpcError;
  /** For whom the client speaks. */
  readonly keyId: string | undefined;
  /** What else the log states of it. */
  fields(): object;
}

/** Codes that state a fault of the daemon. */
const FAULTS: ReadonlySet<string> = new Set(["INTERNAL", "STORAGE_FAILED", "STORAGE_FULL"]);

/**
 * Writes failed calls to the log: of one code and one principal at most one line per `SERVING_LIMITS.refusalLogMs`, with the
 * number of those since the last line. A flood of calls that are refused must not become a flood of writes.
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #now: () => number;
  /** By principal and code: both are few. */
  readonly #counts = new Map<string, { count: number; loggedAt: number }>();

  /** @param options.now monotonic clock in ms; default `performance.now` */
  constructor({ logger, now = () => performance.now() }: { logger: Logger; now?: () => number }) {
    this.#logger = logger;
    this.#now = now;
  }

  /** Counts a failed call, and logs it unless another one was logged just now. */
  add({ error, answer, keyId, fields }: Refusal): void {
    const code = DaemonError.is(error) ? error.code : "INTERNAL";
    const key = `${keyId ?? ""} ${code}`;
    const known = this.#counts.get(key) ?? { count: 0, loggedAt: Number.NEGATIVE_INFINITY };
    this.#counts.set(key, known);
    known.count++;
    const now = this.#now();
    if (now - known.loggedAt < SERVING_LIMITS.refusalLogMs) return;
    const stated = { ...fields(), rpcCode: answer.code, refusals: known.count };
    known.count = 0;
    known.loggedAt = now;
    if (FAULTS.has(code)) this.#logger.error({ ...stated, error }, "a request failed");
    else if (answer.code === RpcCode.internalError) {
      this.#logger.warn({ ...stated, error: answer.message }, "a request was not carried out");
    } else this.#logger.debug({ ...stated, error: answer.message }, "a request was refused");
  }
}
