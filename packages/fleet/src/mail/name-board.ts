import { isRecord } from "@daemon-sdk/protocol";
import type { NamePlace } from "@daemon-sdk/protocol/relay";
import type { KV, KvWatchEntry } from "@nats-io/kv";
import { FLEET_LIMITS } from "../limits/index.js";
import { isName } from "../names/index.js";
import { BucketWatch, openNames } from "../registry/index.js";
import type { MailPlace } from "./mail-place.js";

/** Options of {@link NameBoard}. */
export interface NameBoardOptions extends MailPlace {
  /** Age at which the server removes an entry, in ms; default `FLEET_LIMITS.namesAgeMs`. */
  readonly ageMs?: number;
  /** Interval at which names are announced again, in ms; default `FLEET_LIMITS.renewNamesMs`. */
  readonly renewMs?: number;
}

/**
 * Names of the relay by machine, in the registry: each machine writes entries under its own name, and follows those of the others. The
 * server removes old entries, so that names which are gone do not pile up; those that are there are announced again.
 */
export class NameBoard {
  readonly #options: NameBoardOptions;
  readonly #bucket: KV;
  /** Names that may differ from their entries. */
  readonly #changed = new Set<string>();
  /** Entries as the bucket has them. */
  readonly #written = new Map<string, string>();
  #watch: BucketWatch | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewals: ReturnType<typeof setInterval> | undefined;
  readonly #renewMs: number;
  #isWriting = false;
  #isStopped = true;
  /** Changes with each stop, so that a start which is still under way then ends. */
  #run = 0;

  private constructor(options: NameBoardOptions, bucket: KV) {
    this.#options = options;
    this.#bucket = bucket;
    this.#renewMs = options.renewMs ?? FLEET_LIMITS.renewNamesMs;
    options.relay.onNameChanged = (name) => this.#change(name);
  }

  /** Opens the bucket, and makes it when it is missing. Rejects with CONNECTION_FAILED. */
  static async open(options: NameBoardOptions): Promise<NameBoard> {
    const { nats, subjects, streams, ageMs } = options;
    return new NameBoard(options, await openNames(nats, subjects, streams, ageMs));
  }

  /** Reads all entries, corrects the own ones, and follows the others. Also after a pause. Rejects when the registry fails. */
  async start(): Promise<void> {
    this.stop();
    this.#isStopped = false;
    const run = this.#run;
    const watch = await BucketWatch.open({
      bucket: this.#bucket,
      onEntry: (entry) => this.#read(entry),
      logger: this.#options.logger,
      checkMs: FLEET_LIMITS.namesCheckMs,
    });
    if (run !== this.#run) {
      watch.stop();
      return;
    }
    this.#watch = watch;
    this.#renewals = setInterval(() => this.#renew(), this.#renewMs);
    for (const { name } of this.#options.relay.names()) this.#changed.add(name);
    this.#writeSoon(0);
  }

  /** Stops writing and following, until the next start. */
  stop(): void {
    this.#isStopped = true;
    this.#run += 1;
    this.#watch?.stop();
    this.#watch = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearInterval(this.#renewals);
  }

  /** The machine leaves the fleet. Its entries stay: mail for its names waits for its return. */
  close(): void {
    this.stop();
    this.#options.relay.onNameChanged = undefined;
    this.#options.relay.forgetElsewhere();
  }

  #read({ key, operation, value, created }: KvWatchEntry): void {
    const { machineId: own, relay } = this.#options;
    const [machineId = "", hex = ""] = key.split(".");
    const name = nameOf(hex);
    if (!isName(machineId) || name === undefined) return;
    const text = operation === "PUT" ? new TextDecoder().decode(value) : undefined;
    if (machineId !== own) {
      relay.nameElsewhere(machineId, name, text === undefined ? undefined : placeOf(text));
      return;
    }
    if (text === undefined) this.#written.delete(name);
    else this.#written.set(name, text);
    // In either direction: clocks differ.
    const isOld = text !== undefined && Math.abs(Date.now() - created.getTime()) > this.#renewMs;
    if (isOld) this.#written.delete(name);
    if (isOld || text !== this.#textOf(name)) this.#change(name);
  }

  /** Announces all names again. */
  #renew(): void {
    this.#written.clear();
    for (const { name } of this.#options.relay.names()) this.#change(name);
  }

  #textOf(name: string): string | undefined {
    const place = this.#options.relay.placeOf(name);
    return place === undefined ? undefined : JSON.stringify(place);
  }

  #change(name: string): void {
    this.#changed.add(name);
    this.#writeSoon(FLEET_LIMITS.namesMs);
  }

  #writeSoon(ms: number): void {
    if (this.#isStopped || this.#isWriting) return;
    this.#timer ??= setTimeout(() => void this.#write(), ms);
  }

  async #write(): Promise<void> {
    this.#timer = undefined;
    this.#isWriting = true;
    let pause: number = FLEET_LIMITS.namesMs;
    try {
      for (const name of this.#changed) {
        if (this.#isStopped) break;
        await this.#put(name);
      }
    } catch (error) {
      this.#options.logger.info({ error: String(error) }, "a name was not announced; the next try follows");
      pause = FLEET_LIMITS.readAgainMs;
    }
    this.#isWriting = false;
    if (this.#changed.size > 0) this.#writeSoon(pause);
  }

  async #put(name: string): Promise<void> {
    const key = `${this.#options.machineId}.${hexOf(name)}`;
    const text = this.#textOf(name);
    this.#changed.delete(name);
    if (text === this.#written.get(name)) return;
    try {
      if (text === undefined) await this.#bucket.delete(key);
      else await this.#bucket.put(key, text);
    } catch (error) {
      this.#changed.add(name);
      throw error;
    }
    if (text === undefined) this.#written.delete(name);
    else this.#written.set(name, text);
  }
}

/** Names are whatever agents chose; keys are not. */
function hexOf(name: string): string {
  return Array.from(new TextEncoder().encode(name), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function nameOf(hex: string): string | undefined {
  if (!/^(?:[0-9a-f]{2})+$/.test(hex)) return undefined;
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return new TextDecoder().decode(bytes);
}

function placeOf(text: string): NamePlace | undefined {
  try {
    const place: unknown = JSON.parse(text);
    const entityType = isRecord(place) && place.entityType === "user" ? "user" : "agent";
    if (!isRecord(place) || typeof place.isConnected !== "boolean" || typeof place.lastSeen !== "number")
      return undefined;
    return { entityType, isConnected: place.isConnected, lastSeen: place.lastSeen };
  } catch {
    return undefined;
  }
}
