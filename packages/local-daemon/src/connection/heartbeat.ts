/** Somebody whose silence means something. */
export interface Beating {
  /** Asks for a sign of life. */
  ping(): void;
  /** Its silence does not count at this beat: it is pinged, and not given up. */
  isBusy?(): boolean;
  /** Was silent for too long. */
  onSilent(): void;
}

/** Options of {@link Heartbeat}. */
export interface HeartbeatOptions {
  readonly intervalMs: number;
  /** Intervals without a sign of life before a connection counts as dead. */
  readonly missedBeats: number;
}

/** One member's account. */
interface Pulse {
  readonly beating: Beating;
  missed: number;
}

/**
 * Pings every member once per interval, and tells of those that stayed silent for too many.
 *
 * One timer for all of them: ten thousand idle connections cost one wake-up per interval. It does not hold the process.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #members = new Map<Beating, Pulse>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Starts to watch; it has a whole interval before its first ping. */
  add(beating: Beating): void {
    this.#members.set(beating, { beating, missed: 0 });
    this.#timer ??= setInterval(() => this.#beat(), this.#options.intervalMs).unref();
  }

  /** Any message is a sign of life. */
  heard(beating: Beating): void {
    const pulse = this.#members.get(beating);
    if (pulse !== undefined) pulse.missed = 0;
  }

  /** Stops to watch. */
  remove(beating: Beating): void {
    this.#members.delete(beating);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    for (const pulse of [...this.#members.values()]) {
      if (pulse.beating.isBusy?.() !== true) pulse.missed++;
      if (pulse.missed <= this.#options.missedBeats) {
        pulse.beating.ping();
        continue;
      }
      this.remove(pulse.beating);
      pulse.beating.onSilent();
    }
  }
}
