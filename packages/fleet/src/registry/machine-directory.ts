import type { Logger } from "@daemon-sdk/protocol";
import type { KV, KvWatchEntry } from "@nats-io/kv";
import { FLEET_LIMITS } from "../limits/index.js";
import { BucketWatch } from "./bucket-watch.js";
import { type Buckets, registryFailure } from "./buckets.js";
import { type FleetMachine, type MachineEntry, readMachineEntry } from "./fleet-machine.js";

/** A machine's last entry, and when this process got it. */
interface Sighting {
  readonly entry: MachineEntry;
  readonly revision: number;
  /** In ms of this process's own clock; undefined: the machine gave its lease back, or never had one that this process saw. */
  readonly seenAt: number | undefined;
  /** When the last sign of life came, also of a machine that has given its lease back since then. */
  readonly lastSignAt?: number | undefined;
}

/**
 * The machines of a fleet as this process sees them, from a watch on the registry.
 *
 * The age of an entry is counted from its arrival here: clocks of machines differ, and the server announces no expiry.
 */
export class MachineDirectory {
  readonly #sightings = new Map<string, Sighting>();
  readonly #watches: { stop(): void }[] = [];
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #clock: ReturnType<typeof setInterval>;
  #version = 0;
  #waiting: (() => void)[] = [];
  #states = "";
  #isClosed = false;

  private constructor(logger: Logger, now: () => number) {
    this.#logger = logger;
    this.#now = now;
    this.#clock = setInterval(() => this.#expire(), 1_000);
  }

  /** Reads the registry, and follows it. Rejects with CONNECTION_FAILED. */
  static async open(
    { machines, members }: Buckets,
    logger: Logger,
    now = () => performance.now(),
  ): Promise<MachineDirectory> {
    const directory = new MachineDirectory(logger, now);
    try {
      await directory.#follow(members, (entry) => directory.#joined(entry));
      await directory.#follow(machines, (entry) => directory.#renewed(entry));
    } catch (error) {
      directory.close();
      throw registryFailure("read", error);
    }
    return directory;
  }

  /** All machines that are known, ordered by their ids. */
  list(): FleetMachine[] {
    const list = [...this.#sightings.values()].map((sighting) => this.#view(sighting));
    return list.sort((one, other) => (one.machineId < other.machineId ? -1 : 1));
  }

  /** One machine; undefined when none of that name ever joined. */
  get(machineId: string): FleetMachine | undefined {
    const sighting = this.#sightings.get(machineId);
    return sighting && this.#view(sighting);
  }

  /** Counts the changes. A reader passes the count of what it has seen to {@link changedSince}. */
  get version(): number {
    return this.#version;
  }

  /** Resolves when there is a change after that version, or the directory is closed: then with false. */
  changedSince(version: number): Promise<boolean> {
    if (this.#isClosed || this.#version !== version) return Promise.resolve(!this.#isClosed);
    return new Promise((resolve) => this.#waiting.push(() => resolve(!this.#isClosed)));
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#clock);
    for (const watch of this.#watches) watch.stop();
    this.#notify();
  }

  /** Resolves when the entries that the bucket has now have been read. */
  async #follow(bucket: KV, onEntry: (entry: KvWatchEntry) => void): Promise<void> {
    const watch = await BucketWatch.open({ bucket, onEntry, logger: this.#logger });
    this.#watches.push(watch);
    await watch.hasRead;
  }

  /** A member without a sign of life is known and lost. */
  #joined({ value, operation, key, revision }: KvWatchEntry): void {
    const entry = operation === "PUT" ? readMachineEntry(key, value) : undefined;
    if (entry !== undefined && !this.#sightings.has(key)) this.#see(key, { entry, revision, seenAt: undefined });
    const known = this.#sightings.get(key);
    if (operation === "PUT" || known === undefined || this.#view(known).state === "online") return;
    this.#sightings.delete(key);
    this.#notify();
  }

  #renewed({ value, operation, key, revision }: KvWatchEntry): void {
    const known = this.#sightings.get(key);
    if (operation !== "PUT") {
      if (known !== undefined) this.#see(key, { ...known, seenAt: undefined });
      return;
    }
    const entry = readMachineEntry(key, value);
    if (entry !== undefined) this.#see(key, { entry, revision, seenAt: this.#now(), lastSignAt: this.#now() });
    else this.#logger.warn({ key }, "an entry of the registry is not one that this version reads");
  }

  #see(key: string, sighting: Sighting): void {
    this.#sightings.set(key, sighting);
    this.#notify();
  }

  #view({ entry, revision, seenAt, lastSignAt }: Sighting): FleetMachine {
    const isOnline = seenAt !== undefined && this.#now() - seenAt < FLEET_LIMITS.leaseMs;
    const silence = lastSignAt === undefined ? {} : { silentMs: this.#now() - lastSignAt };
    const load = entry.working / entry.capacity;
    return { ...entry, revision, state: isOnline ? "online" : "lost", load, ...silence };
  }

  #expire(): void {
    const states = this.list()
      .map(({ machineId, state }) => `${machineId} ${state}`)
      .join();
    if (states !== this.#states) this.#notify();
    this.#states = states;
  }

  #notify(): void {
    this.#version += 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
