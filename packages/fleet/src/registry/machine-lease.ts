import { ConnectionError, type Logger } from "@daemon-sdk/protocol";
import type { KV } from "@nats-io/kv";
import { FLEET_LIMITS } from "../limits/index.js";
import { registryFailure } from "./buckets.js";
import { type MachineEntry, readMachineEntry } from "./fleet-machine.js";
import { isWrongRevision } from "./wrong-revision.js";

/** Options of {@link MachineLease}. */
export interface MachineLeaseOptions {
  readonly machines: KV;
  /** The entry as it is now. */
  readonly describe: () => Promise<MachineEntry>;
  /** Whether an instance of this machine that holds the lease still answers; undefined when that is not known. */
  readonly answers: (instance: string) => Promise<boolean | undefined>;
  /** Called once, when another instance holds the lease. */
  readonly onLost: (error: ConnectionError) => void;
  readonly logger: Logger;
  /** Interval of renewals in ms; default `FLEET_LIMITS.renewMs`. */
  readonly renewMs?: number | undefined;
}

/**
 * A machine's entry in the registry, which one instance of the machine holds at a time. Each write is a compare-and-set on the last one,
 * so a twin under the same name finds out, and so does this instance. While the registry is away the entry is not renewed, and nothing
 * ends: links do not depend on it.
 */
export class MachineLease {
  readonly #options: MachineLeaseOptions;
  readonly #id: string;
  readonly #instance: string;
  #revision = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #renewal: Promise<void> | undefined;
  #isReleased = false;

  private constructor(options: MachineLeaseOptions, { machineId, instance }: MachineEntry) {
    this.#options = options;
    this.#id = machineId;
    this.#instance = instance;
  }

  /**
   * Takes the lease, and renews it from then on. A former instance that does not answer is replaced. Rejects with NAME_TAKEN when the
   * machine's name is in use, with CONNECTION_FAILED when the registry cannot be written.
   */
  static async take(options: MachineLeaseOptions): Promise<MachineLease> {
    const entry = await options.describe();
    const lease = new MachineLease(options, entry);
    await lease.#take(entry);
    lease.#timer = setInterval(() => lease.renew(), options.renewMs ?? FLEET_LIMITS.renewMs);
    return lease;
  }

  /** Writes the entry as it is now; resolves when that was done, or has failed. A renewal that runs already is shared. */
  renew(): Promise<void> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  /**
   * Gives the lease back: the machine counts as lost at once.
   *
   * @param options.isWritten false: only stops the renewals, because the registry is away
   */
  async release({ isWritten }: { readonly isWritten: boolean }): Promise<void> {
    if (this.#isReleased) return;
    this.#stop();
    if (!isWritten) return;
    await this.#renewal;
    await this.#options.machines.delete(this.#id, { previousSeq: this.#revision }).catch((error: unknown) => {
      this.#options.logger.info({ error: String(error) }, "the entry in the registry stays until its lease ends");
    });
  }

  async #take(entry: MachineEntry): Promise<void> {
    const { machines } = this.#options;
    try {
      while (this.#revision === 0) {
        const last = await this.#revisionOfFormer();
        this.#revision = await (last === undefined
          ? machines.create(this.#id, text(entry))
          : this.#update(entry, last)
        ).catch(unwritten);
      }
    } catch (error) {
      throw ConnectionError.is(error) ? error : registryFailure("written", error);
    }
  }

  /** The revision of the entry that may be replaced; undefined when there is none. Rejects with NAME_TAKEN when its instance serves. */
  async #revisionOfFormer(): Promise<number | undefined> {
    const { machines, answers } = this.#options;
    const found = await machines.get(this.#id);
    const former = found?.operation === "PUT" ? readMachineEntry(this.#id, found.value) : undefined;
    const isAnswering = former !== undefined && (await answers(former.instance));
    if (isAnswering) throw taken(this.#id);
    return isAnswering === undefined && found !== null ? this.#untilLapsed(found.revision) : found?.revision;
  }

  /** The server may take minutes to notice that a former instance is gone. An entry that is not renewed for the lease is free. */
  async #untilLapsed(revision: number): Promise<number | undefined> {
    const end = performance.now() + FLEET_LIMITS.leaseMs;
    for (;;) {
      const found = await this.#options.machines.get(this.#id);
      if (found === null || found.operation !== "PUT") return found?.revision;
      if (found.revision !== revision) throw taken(this.#id);
      if (performance.now() > end) return revision;
      await new Promise((resolve) => setTimeout(resolve, FLEET_LIMITS.lapseCheckMs));
    }
  }

  #update(entry: MachineEntry, revision: number): Promise<number> {
    return this.#options.machines.update(this.#id, text(entry), revision);
  }

  async #renew(): Promise<void> {
    const { describe, logger } = this.#options;
    if (this.#isReleased) return;
    try {
      const entry = await describe();
      this.#revision = await this.#update(entry, this.#revision);
    } catch (error) {
      if (this.#isReleased) return;
      if (isWrongRevision(error)) await this.#recover();
      else logger.warn({ error: String(error) }, "the machine's entry was not renewed; the next renewal tries again");
    }
  }

  /** The entry is not the last one that this instance knows: another holds it, or it expired, or an answer got lost. */
  async #recover(): Promise<void> {
    const { machines, describe, logger } = this.#options;
    try {
      const found = await machines.get(this.#id);
      const holder = found?.operation === "PUT" ? readMachineEntry(this.#id, found.value) : undefined;
      if (holder !== undefined && holder.instance !== this.#instance) {
        this.#lose();
        return;
      }
      if (found === null) this.#revision = await machines.create(this.#id, text(await describe()));
      else this.#revision = await this.#update(await describe(), found.revision);
    } catch (error) {
      logger.warn({ error: String(error) }, "the machine's entry was not renewed; the next renewal tries again");
    }
  }

  #lose(): void {
    this.#stop();
    this.#options.onLost(taken(this.#id));
  }

  #stop(): void {
    this.#isReleased = true;
    clearInterval(this.#timer);
  }
}

/** Zero when another program wrote first: a former instance that gave the entry back, or a twin, which answers the next time. */
function unwritten(error: unknown): number {
  if (isWrongRevision(error)) return 0;
  throw error;
}

function text(entry: MachineEntry): string {
  return JSON.stringify(entry);
}

function taken(machineId: string): ConnectionError {
  const advice = "Two daemons must not have one name: give each machine a name of its own";
  return new ConnectionError("NAME_TAKEN", `Another daemon serves the fleet as machine ${machineId}. ${advice}.`);
}
