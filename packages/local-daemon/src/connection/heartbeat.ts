/** A monitored peer. */
export interface WatchedPeer {
  /** Sends a ping. */
  ping(): void;
  /** True: the peer's silence does not count at this beat. */
  isBusy?(): boolean;
  /** Called when the peer was silent for too long. */
  onSilent(): void;
}

/** When a {@link Heartbeat} pings, and when it gives a peer up. */
export interface PingSchedule {
  readonly intervalMs: number;
  /** Intervals without a sign of life after which a peer counts as dead. */
  readonly missedBeats: number;
}

/** The count of one peer. */
interface Pulse {
  readonly peer: WatchedPeer;
  missed: number;
}

/**
 * Pings every peer once per interval, and gives up those that were silent for too many of them.
 *
 * One timer serves all peers: ten thousand idle connections cost one wake-up per interval. The timer does not hold the process.
 */
export class Heartbeat {
  readonly #schedule: PingSchedule;
  readonly #pulses = new Map<WatchedPeer, Pulse>();
  #timer: NodeJS.Timeout | undefined;

  constructor(schedule: PingSchedule) {
    this.#schedule = schedule;
  }

  /** Starts to monitor a peer. Its first ping is sent at the next beat. */
  add(peer: WatchedPeer): void {
    this.#pulses.set(peer, { peer, missed: 0 });
    this.#timer ??= setInterval(() => this.#beat(), this.#schedule.intervalMs).unref();
  }

  /** Records that a message of the peer arrived. */
  received(peer: WatchedPeer): void {
    const pulse = this.#pulses.get(peer);
    if (pulse !== undefined) pulse.missed = 0;
  }

  /** Stops monitoring a peer. */
  remove(peer: WatchedPeer): void {
    this.#pulses.delete(peer);
    if (this.#pulses.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    for (const pulse of [...this.#pulses.values()]) {
      if (pulse.peer.isBusy?.() !== true) pulse.missed++;
      if (pulse.missed <= this.#schedule.missedBeats) {
        pulse.peer.ping();
        continue;
      }
      this.remove(pulse.peer);
      pulse.peer.onSilent();
    }
  }
}
