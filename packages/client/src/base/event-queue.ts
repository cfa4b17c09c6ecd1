import { CLIENT_LIMITS, SessionError } from "@daemon-sdk/protocol";

/** Options of {@link EventQueue}. */
export interface EventQueueOptions<Item> {
  /** Size of an item in bytes; called only for items that have to wait. */
  sizeOf(item: Item): number;
  /** Bytes that may wait before the queue fails as SLOW_CONSUMER. Default `LIMITS.streamBufferBytes`. */
  maxBytes?: number;
  /** Called once, when the queue overflowed. */
  onOverflow?(): void;
  /** Called with the size of each item that was pushed with one, when the consumer takes it; not when it is dropped. */
  onTaken?(size: number): void;
}

interface Waiter<Item> {
  resolve(result: IteratorResult<Item, undefined>): void;
  reject(error: unknown): void;
}

type End = { readonly error?: unknown };

const FIRST_CAPACITY = 16;

/**
 * Passes items to one consumer, in order, each once.
 *
 * A ring buffer with a head index, so that an item costs the same whether or not the consumer lags (`array.shift()` costs a
 * hundred times more for a consumer that lags). Waiting items are bounded in bytes: past the bound they are dropped and the
 * consumer gets SLOW_CONSUMER. The end comes once: what was pushed before it is delivered before it.
 */
export class EventQueue<Item> {
  readonly #options: EventQueueOptions<Item>;
  readonly #maxBytes: number;
  #ring: (Item | undefined)[] = new Array(FIRST_CAPACITY);
  #sizes: number[] = new Array(FIRST_CAPACITY).fill(0);
  #head = 0;
  #length = 0;
  #bytes = 0;
  #waiters: Waiter<Item>[] = [];
  #end: End | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: EventQueueOptions<Item>) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? CLIENT_LIMITS.streamBufferBytes;
  }

  /** Items that wait. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that wait, by `sizeOf`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether {@link end} or {@link fail} was called; later items are refused. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Adds one item. False when the queue has ended, or overflows with this item.
   *
   * @param knownSize size in bytes; with it the caller enforces the bound, without it the queue does, by `sizeOf`
   */
  push(item: Item, knownSize?: number): boolean {
    if (this.#end !== undefined) return false;
    if (this.#waiters.length > 0) {
      this.#waiters.shift()?.resolve({ value: item, done: false });
      if (knownSize !== undefined) this.#options.onTaken?.(knownSize);
      return true;
    }
    const size = knownSize ?? this.#options.sizeOf(item);
    if (knownSize === undefined && this.#bytes + size > this.#maxBytes) return this.#overflow();
    if (this.#length === this.#ring.length) this.#grow();
    const slot = (this.#head + this.#length) & (this.#ring.length - 1);
    this.#ring[slot] = item;
    this.#sizes[slot] = size;
    this.#length += 1;
    this.#bytes += size;
    return true;
  }

  /** Ends the queue: the consumer is done once it has taken the items that wait. */
  end(): void {
    this.#finish({});
  }

  /** Ends the queue with `error`, which the consumer gets once, after the items that wait. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** Drops the items that wait and ends the queue without an error, also after {@link fail}: there is no consumer any more. */
  discard(): void {
    this.clear();
    this.end();
    this.#end = {};
  }

  /** Drops the items that wait, so that the consumer gets an {@link end} or {@link fail} at once. */
  clear(): void {
    this.#ring = new Array(FIRST_CAPACITY);
    this.#sizes = new Array(FIRST_CAPACITY).fill(0);
    this.#head = 0;
    this.#length = 0;
    this.#bytes = 0;
    this.#onEmpty?.();
  }

  /** Resolves when no item waits: the consumer has taken all of them, or is gone. For one caller at a time. */
  whenEmpty(): Promise<void> {
    if (this.#length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  /** The next item, as soon as there is one; calls may overlap and are served in order. */
  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#length > 0) return Promise.resolve({ value: this.#take(), done: false });
    const end = this.#end;
    if (end === undefined) return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    if (!("error" in end)) return Promise.resolve({ value: undefined, done: true });
    // Thrown once, as by a generator; later calls return `done`.
    this.#end = {};
    return Promise.reject(end.error);
  }

  #take(): Item {
    const item = this.#ring[this.#head] as Item;
    const size = this.#sizes[this.#head] ?? 0;
    this.#bytes -= size;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    this.#options.onTaken?.(size);
    if (this.#length === 0) this.#onEmpty?.();
    return item;
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const waiters = this.#waiters;
    this.#waiters = [];
    // Only an empty queue has waiters, so the end is next for them.
    for (const waiter of waiters) this.next().then(waiter.resolve, waiter.reject);
  }

  #overflow(): false {
    this.clear();
    this.fail(
      new SessionError(
        "SLOW_CONSUMER",
        `More than ${this.#maxBytes} bytes of events wait for this stream's consumer. Read faster, or raise \`maxBufferedBytes\`.`,
      ),
    );
    this.#options.onOverflow?.();
    return false;
  }

  #grow(): void {
    const capacity = this.#ring.length;
    const ring: (Item | undefined)[] = new Array(capacity * 2);
    const sizes: number[] = new Array(capacity * 2).fill(0);
    for (let index = 0; index < this.#length; index += 1) {
      const slot = (this.#head + index) & (capacity - 1);
      ring[index] = this.#ring[slot];
      sizes[index] = this.#sizes[slot] ?? 0;
    }
    this.#ring = ring;
    this.#sizes = sizes;
    this.#head = 0;
  }
}

/** Approximate bytes of a parsed JSON value in memory: two per character, and some per value. Never less than 16. */
export function approximateBytes(value: unknown): number {
  if (typeof value === "string") return 16 + value.length * 2;
  if (typeof value !== "object" || value === null) return 16;
  let bytes = 32;
  // Events come from JSON with a bounded depth (`LIMITS.jsonDepth`), so recursion is bounded as well.
  // `for in`, not `Object.values`: this runs for every event that waits, and `for in` makes no array.
  for (const key in value) bytes += 16 + approximateBytes((value as Record<string, unknown>)[key]);
  return bytes;
}
