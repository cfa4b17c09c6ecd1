import { DaemonError, LIMITS } from "@daemon-sdk/protocol";
import { approximateBytes } from "../../base/index.js";
import { RecentIds } from "./recent-ids.js";
import type { RelayMessage } from "./relay-message.js";

/** Options of {@link MessageFeed}. */
export interface MessageFeedOptions {
  readonly maxBytes: number;
  /** Acknowledges a message that was handled. */
  acknowledge(message: RelayMessage): void;
}

type Result = IteratorResult<RelayMessage, undefined>;

/** Free places at the front of the queue after which the queue is compacted. */
const COMPACT_AFTER = 4096;

const DONE: Result = { value: undefined, done: true };

/**
 * The queue of messages for the one consumer. Yields each message once, however often it is delivered.
 *
 * A message counts as handled, and is acknowledged, when the consumer requests the next one or ends its loop. A redelivery
 * before that is dropped. A redelivery afterwards is acknowledged again, because the first acknowledgement was lost. At least the
 * last `LIMITS.relaySeenIds` ids of handled messages are remembered.
 */
export class MessageFeed {
  readonly #options: MessageFeedOptions;
  #items: (RelayMessage | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  /** Delivered and not handled. */
  readonly #pending = new Set<string>();
  readonly #handled = new RecentIds(LIMITS.relaySeenIds);
  #waiter: ((result: Result) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #end: { readonly error?: unknown } | undefined;
  #isConsumed = false;

  constructor(options: MessageFeedOptions) {
    this.#options = options;
  }

  /** Takes a message. False when there is no room: the message waits for redelivery. */
  offer(message: RelayMessage): boolean {
    if (this.#pending.has(message.id) || this.#end !== undefined) return true;
    if (this.#handled.has(message.id)) {
      this.#options.acknowledge(message);
      return true;
    }
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#pending.add(message.id);
      this.#waiter = undefined;
      waiter({ value: message, done: false });
      return true;
    }
    const bytes = sizeOf(message);
    if (this.#bytes + bytes > this.#options.maxBytes) return false;
    this.#pending.add(message.id);
    this.#items.push(message);
    this.#bytes += bytes;
    return true;
  }

  /** Marks a message that was handled elsewhere, such as the response to a request. False when it was handled before. */
  markHandled(id: string): boolean {
    return this.#handled.add(id);
  }

  /** The messages, for one consumer at a time. */
  consume(signal?: AbortSignal): AsyncIterableIterator<RelayMessage> {
    if (this.#isConsumed) {
      throw new DaemonError(
        "CONCURRENT_STREAM",
        "Another consumer iterates over this client's messages. Only one can at a time.",
      );
    }
    this.#isConsumed = true;
    return new MessageIterator(this, signal);
  }

  /** No message follows: the consumer gets the messages that wait, then `error` once, or the end. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    const [waiter, reject] = [this.#waiter, this.#reject];
    this.#waiter = undefined;
    if (waiter !== undefined && error === undefined) waiter(DONE);
    else reject?.(error);
  }

  /** @internal the iterator's: the next message, when none waits */
  wait(): Promise<Result> {
    const end = this.#end;
    if (end !== undefined) {
      this.#end = {};
      return "error" in end ? Promise.reject(end.error) : Promise.resolve(DONE);
    }
    return new Promise((resolve, reject) => {
      this.#waiter = resolve;
      this.#reject = reject;
    });
  }

  /** @internal the iterator's */
  handled(message: RelayMessage): void {
    this.#pending.delete(message.id);
    this.markHandled(message.id);
    this.#options.acknowledge(message);
  }

  /** @internal the iterator's: the consumer has ended. The next consumer gets the messages that wait. */
  release(): void {
    this.#isConsumed = false;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(DONE);
  }

  /** @internal the iterator's: the next message that waits */
  take(): RelayMessage | undefined {
    const message = this.#items[this.#head];
    if (message === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    this.#bytes -= sizeOf(message);
    // Not at each message: `shift` costs a hundred times more once the consumer lags.
    if (this.#head === this.#items.length || this.#head === COMPACT_AFTER) {
      // In place: a discarded array retains what it held until the next full collection.
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return message;
  }
}

/** Iterates over a {@link MessageFeed}. Acknowledges each message when the next one is requested. */
class MessageIterator implements AsyncIterableIterator<RelayMessage> {
  readonly #feed: MessageFeed;
  readonly #signal: AbortSignal | undefined;
  #unhandled: RelayMessage | undefined;
  #isDone = false;
  readonly #onAbort = (): void => this.#finish();

  constructor(feed: MessageFeed, signal: AbortSignal | undefined) {
    this.#feed = feed;
    this.#signal = signal;
    if (signal?.aborted) this.#finish();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    this.#markHandled();
    if (this.#isDone) return Promise.resolve(DONE);
    const message = this.#feed.take();
    if (message === undefined) return this.#wait();
    this.#unhandled = message;
    return Promise.resolve({ value: message, done: false });
  }

  async #wait(): Promise<Result> {
    const result = await this.#feed.wait();
    if (result.done) this.#finish();
    else this.#unhandled = result.value;
    return result;
  }

  async return(): Promise<Result> {
    this.#markHandled();
    this.#finish();
    return DONE;
  }

  #markHandled(): void {
    const message = this.#unhandled;
    this.#unhandled = undefined;
    if (message !== undefined) this.#feed.handled(message);
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#feed.release();
  }
}

/** Approximate size of a message in memory: two bytes a character, and its data. */
function sizeOf(message: RelayMessage): number {
  const data = message.data === undefined && message.attachments === undefined ? 0 : approximateBytes(message);
  const json = message.json === undefined ? 0 : message.body.length * 2;
  return 256 + message.body.length * 2 + json + data;
}
