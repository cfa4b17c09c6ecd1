/** Bounds of a {@link RateLimit}. */
export interface RateLimitOptions {
  readonly perSecond: number;
  /** SENDs that are taken at once after a pause. */
  readonly burst: number;
  /** Unix milliseconds. */
  now(): number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** A token bucket for each sender (docs/wire/relay.md#rate-limit-and-queues). */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Takes one token. Returns undefined, or the time in ms after which there is one. */
  take(name: string): number | undefined {
    const { perSecond, burst, now } = this.#options;
    const bucket = this.#buckets.get(name) ?? this.#open(name);
    const time = now();
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, time - bucket.filledAt) * perSecond) / 1_000);
    bucket.filledAt = time;
    if (bucket.tokens < 1) return Math.max(1, Math.ceil(((1 - bucket.tokens) * 1_000) / perSecond));
    bucket.tokens -= 1;
    return undefined;
  }

  /** Drops the bucket of a sender that has left. */
  forget(name: string): void {
    this.#buckets.delete(name);
  }

  #open(name: string): Bucket {
    const bucket = { tokens: this.#options.burst, filledAt: this.#options.now() };
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
