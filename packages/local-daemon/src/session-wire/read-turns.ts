import { DaemonError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/** A client whose calls read history. */
export interface Reading {
  readonly principal: { readonly keyId: string | undefined };
  readonly sink: {
    /** True while its last answers have not left this process. */
    readonly isDraining: boolean;
    /** Calls once when they have; never when the connection ends first. */
    onceWritable(callback: () => void): void;
  };
}

/** What principals owe the others of the loop's time. */
interface Debts {
  owes(keyId: string | undefined): boolean;
  oncePaid(keyId: string | undefined, callback: () => void): void;
}

interface Read {
  readonly client: Reading;
  readonly units: number;
  readonly start: () => Promise<void>;
  readonly refuse: (error: DaemonError) => void;
}

/** The reads of one principal. */
class Reads {
  waiting: Read[] = [];
  units = 0;
  /** Answers that are being made, or have not left. */
  working = 0;
  /** Answers that are being made. */
  making = 0;

  get isIdle(): boolean {
    return this.waiting.length === 0 && this.working === 0;
  }

  /** Removes the oldest read whose client has taken its last answers. */
  takeNext(): Read | undefined {
    const { readsAtOnce, readsMadeAtOnce } = SERVING_LIMITS;
    if (this.working >= readsAtOnce || this.making >= readsMadeAtOnce) return undefined;
    const index = this.waiting.findIndex(({ client }) => !client.sink.isDraining);
    const [read] = index < 0 ? [] : this.waiting.splice(index, 1);
    if (read !== undefined) this.units -= read.units;
    return read;
  }

  /** Removes the reads of a client. */
  drop(client: Reading): Read[] {
    const dropped = this.waiting.filter((read) => read.client === client);
    this.waiting = this.waiting.filter((read) => read.client !== client);
    for (const { units } of dropped) this.units -= units;
    return dropped;
  }
}

/**
 * Lets calls that read history take turns, so that their answers take bounded memory and others are served between two reads.
 *
 * One read begins per turn of the loop, of each principal in its turn. A client gets the next answer when it has read the last
 * ones. A principal has `SERVING_LIMITS.readsAtOnce` reads at work: those whose answers are being made or have not left. At most
 * `readsMadeAtOnce` of them are being made: an answer that is made takes several times the memory of one that waits to leave.
 */
export class ReadTurns {
  readonly #debts: Debts | undefined;
  readonly #byPrincipal = new Map<string | undefined, Reads>();
  /** Principals whose reads wait until they owe little. */
  readonly #indebted = new Set<string | undefined>();
  /** How to end what is kept for a client's unread answers. */
  readonly #draining = new Map<Reading, Set<() => void>>();
  /** Clients whose reads wait until they can be written to. */
  readonly #awaited = new Set<Reading>();
  #hasBegun = false;
  #isScheduled = false;

  /** @param debts of principals; default: nobody has any */
  constructor(debts?: Debts) {
    this.#debts = debts;
  }

  /**
   * Does `work`, which sends the answer, when its turn has come: at once when nobody waits. Rejects with `QUEUE_FULL` when too
   * many reads of the principal wait, and with `CONNECTION_CLOSED` when the client has gone.
   *
   * @param units UTF-16 units of the message that asks
   */
  take(client: Reading, units: number, work: () => Promise<void>): Promise<void> {
    const reads = this.#readsOf(client);
    const { readsWaiting, readsWaitingUnits } = SERVING_LIMITS;
    const isFull =
      reads.waiting.length >= readsWaiting || (reads.waiting.length > 0 && reads.units > readsWaitingUnits);
    if (isFull) return Promise.reject(tooManyReads());
    return new Promise((resolve, reject) => {
      const start = () => work().then(resolve, reject);
      reads.waiting.push({ client, units, start, refuse: reject });
      reads.units += units;
      this.#pump();
    });
  }

  /** The client's connection has ended. */
  leave(client: Reading): void {
    const reads = this.#byPrincipal.get(client.principal.keyId);
    this.#awaited.delete(client);
    for (const { refuse } of reads?.drop(client) ?? []) refuse(gone());
    for (const end of [...(this.#draining.get(client) ?? [])]) end();
  }

  #readsOf({ principal }: Reading): Reads {
    const known = this.#byPrincipal.get(principal.keyId) ?? new Reads();
    this.#byPrincipal.set(principal.keyId, known);
    return known;
  }

  #pump(): void {
    if (this.#hasBegun) {
      this.#schedule();
      return;
    }
    for (const [keyId, reads] of this.#byPrincipal) {
      const read = this.#isHeld(keyId, reads) ? undefined : reads.takeNext();
      if (read === undefined) {
        for (const { client } of reads.waiting) this.#await(client);
        continue;
      }
      // The next turn is another principal's.
      this.#byPrincipal.delete(keyId);
      this.#byPrincipal.set(keyId, reads);
      this.#begin(reads, read);
      return;
    }
  }

  #isHeld(keyId: string | undefined, { waiting }: Reads): boolean {
    if (waiting.length === 0 || this.#debts?.owes(keyId) !== true) return false;
    if (this.#indebted.has(keyId)) return true;
    this.#indebted.add(keyId);
    this.#debts.oncePaid(keyId, () => {
      this.#indebted.delete(keyId);
      this.#pump();
    });
    return true;
  }

  /** Looks again when that client has taken what was sent to it. */
  #await(client: Reading): void {
    if (!client.sink.isDraining || this.#awaited.has(client)) return;
    this.#awaited.add(client);
    client.sink.onceWritable(() => {
      this.#awaited.delete(client);
      this.#pump();
    });
  }

  #begin(reads: Reads, { client, start }: Read): void {
    this.#hasBegun = true;
    this.#schedule();
    reads.working++;
    reads.making++;
    void start().then(() => {
      reads.making--;
      if (client.sink.isDraining) this.#pump();
      this.#onceDrained(client, () => {
        reads.working--;
        if (reads.isIdle) this.#byPrincipal.delete(client.principal.keyId);
        this.#pump();
      });
    });
  }

  /** Calls once when the client has taken its answers, has gone, or does not read for too long. */
  #onceDrained(client: Reading, callback: () => void): void {
    if (!client.sink.isDraining) {
      callback();
      return;
    }
    const ends = this.#draining.get(client) ?? new Set();
    this.#draining.set(client, ends);
    const end = () => {
      if (!ends.delete(end)) return;
      clearTimeout(timer);
      if (ends.size === 0) this.#draining.delete(client);
      callback();
    };
    const timer = setTimeout(end, SERVING_LIMITS.readDrainMs).unref();
    ends.add(end);
    client.sink.onceWritable(end);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#hasBegun = false;
      this.#pump();
    });
  }
}

function tooManyReads(): DaemonError {
  const { readsWaiting, readsWaitingUnits } = SERVING_LIMITS;
  return new DaemonError(
    "QUEUE_FULL",
    `${readsWaiting} calls of yours that read history wait already, or hold ${readsWaitingUnits} characters (readsWaiting, ` +
      "readsWaitingUnits). Call again when some of them have been answered.",
  );
}

function gone(): DaemonError {
  return new DaemonError("CONNECTION_CLOSED", "The connection has ended.");
}
