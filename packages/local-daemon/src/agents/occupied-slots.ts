import { daemonStopping } from "../refusals.js";

/** A slot as far as its end matters. */
interface Occupant {
  /** Ends the agent, or its start; resolves when nothing of either is left. */
  stop(): Promise<void>;
}

/**
 * The slots of a daemon that hold an agent, or are about to: for a running turn, for a call, for a session that is being made.
 * When the daemon stops they are emptied, and none is filled after that.
 */
export class OccupiedSlots {
  readonly #slots = new Set<Occupant>();
  #isClosed = false;

  /** To be called before the process is started. Throws `DAEMON_STOPPING` once the daemon ends. */
  add(slot: Occupant): void {
    if (this.#isClosed) throw daemonStopping();
    this.#slots.add(slot);
  }

  /** The slot is empty again. */
  delete(slot: Occupant): void {
    this.#slots.delete(slot);
  }

  /** Whether {@link close} was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends every agent, and every start of one; resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#slots].map((slot) => slot.stop()));
  }
}
