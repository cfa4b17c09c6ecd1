import { daemonStopping } from "../refusals.js";

/** A slot as far as its end matters. */
interface Occupant {
  /** Ends the agent, or its start; resolves when nothing of either is left. */
  stop(): Promise<void>;
}

/**
 * The slots of a daemon that hold an agent, or are about to, whoever needed it: a running turn, a call, a session that nobody
 * knows yet because it is being made. At the daemon's end they are emptied, and none is filled after that.
 */
export class OccupiedSlots {
  readonly #slots = new Set<Occupant>();
  #isClosed = false;

  /** To be called before the process is started. Throws `DAEMON_STOPPING` once the daemon ends. */
  add(slot: Occupant): void {
    if (this.#isClosed) throw daemonStopping();
    this.#slots.add(slot);
  }

  /** It is empty again. */
  delete(slot: Occupant): void {
    this.#slots.delete(slot);
  }

  /** Whether the daemon ends. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends every agent, and every start of one; resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#slots].map((slot) => slot.stop()));
  }
}
