import { silentLogger } from "@daemon-sdk/protocol";
import type { KvStatus, KvWatchEntry, KvWatchOptions } from "@nats-io/kv";
import { QueuedIteratorImpl } from "@nats-io/nats-core/internal";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FLEET_LIMITS } from "../../src/limits/index.js";
import { BucketWatch } from "../../src/registry/index.js";

/** A bucket of which each watch is a server's: it may stand still, or end. */
class FakeBucket {
  /** Revisions of what is there. */
  revisions: number[] = [];
  last = 0;
  isAway = false;
  readonly opened: KvWatchOptions[] = [];
  #iterator = new QueuedIteratorImpl<KvWatchEntry>();
  #stands = false;

  write(): void {
    this.last += 1;
    this.revisions = [this.last];
    if (!this.#stands) this.#tell(this.last, 0);
  }

  /** The server that keeps the watch is killed. */
  standStill(): void {
    this.#stands = true;
  }

  get isFollowed(): boolean {
    return !this.#iterator.done;
  }

  endWatch(error?: Error): void {
    this.#iterator.stop(error);
  }

  async status(): Promise<KvStatus> {
    if (this.isAway) throw new TypeError("jetstream is not enabled");
    return { values: this.revisions.length, streamInfo: { state: { last_seq: this.last } } } as KvStatus;
  }

  async watch(options: KvWatchOptions = {}): Promise<QueuedIteratorImpl<KvWatchEntry>> {
    this.opened.push(options);
    this.#iterator = new QueuedIteratorImpl();
    this.#stands = false;
    const wanted = this.revisions.filter((revision) => revision >= (options.resumeFromRevision ?? 0));
    for (const [at, revision] of wanted.entries()) this.#tell(revision, wanted.length - 1 - at);
    return this.#iterator;
  }

  #tell(revision: number, delta: number): void {
    this.#iterator.push({ revision, delta, isUpdate: delta === 0 } as KvWatchEntry);
  }
}

let bucket: FakeBucket;
let seen: number[];
let watch: BucketWatch | undefined;

const open = async () => {
  const onEntry = ({ revision }: KvWatchEntry) => seen.push(revision);
  watch = await BucketWatch.open({ bucket, onEntry, logger: silentLogger });
  return watch;
};
const oneCheck = () => vi.advanceTimersByTimeAsync(FLEET_LIMITS.watchCheckMs);

beforeEach(() => {
  vi.useFakeTimers();
  bucket = new FakeBucket();
  seen = [];
});
afterEach(() => {
  watch?.stop();
  vi.useRealTimers();
});

test("a watch that stands still is replaced within two comparisons, from where it was", async () => {
  bucket.write();
  await (await open()).hasRead;
  bucket.standStill();
  bucket.write();
  await oneCheck();
  await oneCheck();
  expect(seen).toEqual([1, 2]);
  expect(bucket.opened).toEqual([{}, { resumeFromRevision: 2 }]);
  bucket.write();
  await oneCheck();
  expect(seen).toEqual([1, 2, 3]);
});

test("a watch that tells everything is left alone, and so is one of a bucket whose entries have aged", async () => {
  await (await open()).hasRead;
  for (let n = 0; n < 5; n += 1) {
    bucket.write();
    await oneCheck();
  }
  bucket.revisions = [];
  await oneCheck();
  await oneCheck();
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(bucket.opened).toHaveLength(1);
});

test.each([undefined, new TypeError("closed")])("a watch that ends (%s) is opened anew", async (error) => {
  bucket.write();
  await (await open()).hasRead;
  bucket.endWatch(error);
  await oneCheck();
  bucket.write();
  await oneCheck();
  expect(seen).toEqual([1, 2]);
});

test("while the registry is away it is asked again, and what came meanwhile is told", async () => {
  await open();
  bucket.standStill();
  bucket.write();
  bucket.isAway = true;
  await oneCheck();
  await oneCheck();
  expect(seen).toEqual([]);
  bucket.isAway = false;
  await oneCheck();
  await oneCheck();
  expect(seen).toEqual([1]);
});

test("a bucket that was made anew is read from its beginning", async () => {
  for (let n = 0; n < 9; n += 1) bucket.write();
  await (await open()).hasRead;
  expect(seen).toEqual([9]);
  await oneCheck();
  bucket.endWatch();
  bucket.last = 0;
  bucket.write();
  await oneCheck();
  expect(seen).toEqual([9, 1]);
});

test("a bucket that cannot be compared is not opened, and its watch is not left behind", async () => {
  bucket.isAway = true;
  await expect(open()).rejects.toThrow("jetstream is not enabled");
  expect(bucket.opened).toHaveLength(1);
  expect(bucket.isFollowed).toBe(false);
});

test("who waits for the entries of now does not wait for a watch that is stopped", async () => {
  bucket.write();
  bucket.watch = async () => new QueuedIteratorImpl();
  const { hasRead } = await open();
  watch?.stop();
  await hasRead;
  expect(seen).toEqual([]);
});
