import { activityOf, CLIENT_LIMITS, type Clock, type SessionActivity, type SessionState } from "@daemon-sdk/protocol";

/** Called with what a session waits for, when that has changed. */
export type ActivityListener = (activity: SessionActivity) => void;

/** What a {@link SessionActivityWatch} reads of the session. */
export interface ActivityHost {
  readonly clock: Clock;
  /** Requests that wait for an answer. */
  readonly pendingRequests: number;
  /** Whether there is a link to the daemon, and the session can be called. */
  readonly isReachable: boolean;
  /** Whether the daemon sends the session's events; without them, silence says nothing. */
  readonly receivesEvents: boolean;
  readonly feed: {
    readonly state: Pick<SessionState, "latestWorkingState" | "isGone">;
    /** When the last frame of the session was received, by the clock; 0: never. */
    readonly receivedAt: number;
  };
}

/** Derives what a session waits for from its state and from its silence; see `SessionActivity` of the protocol. */
export class SessionActivityWatch {
  readonly #host: ActivityHost;
  readonly #onError: (error: Error) => void;
  /** When this watch began, or a result stated the working state. */
  #statedAt: number;
  #notified: SessionActivity | undefined;
  #listeners: readonly ActivityListener[] | undefined;
  #stopTimer: (() => void) | undefined;

  /** @param onError receives what listeners throw */
  constructor(host: ActivityHost, onError: (error: Error) => void) {
    this.#host = host;
    this.#onError = onError;
    this.#statedAt = host.clock.now();
  }

  /** Whether there are listeners. */
  get isWatched(): boolean {
    return this.#listeners !== undefined;
  }

  /** What the session waits for now. */
  get current(): SessionActivity {
    const { pendingRequests, isReachable, receivesEvents, feed } = this.#host;
    return activityOf({
      workingState: feed.state.latestWorkingState,
      pendingRequests,
      silentMs: receivesEvents ? this.#silentMs() : 0,
      isReachable: isReachable && !feed.state.isGone,
    });
  }

  /** The working state was stated by a result, which is a sign of life as an event is. */
  stated(): void {
    this.#statedAt = this.#host.clock.now();
    this.refresh();
  }

  /** Notifies the listeners if the activity has changed. */
  refresh(): void {
    if (this.#listeners === undefined) return;
    const activity = this.current;
    if (activity === this.#notified) return;
    this.#notified = activity;
    for (const listener of this.#listeners) {
      try {
        listener(activity);
      } catch (error) {
        this.#onError(error as Error);
      }
    }
  }

  /** Calls back with each change; the returned function stops it. */
  listen(listener: ActivityListener): () => void {
    if (this.#listeners === undefined) {
      this.#notified = this.current;
      this.#watchSilence();
    }
    this.#listeners = [...(this.#listeners ?? []), listener];
    return () => {
      const others = this.#listeners?.filter((other) => other !== listener) ?? [];
      this.#listeners = others.length > 0 ? others : undefined;
      if (this.#listeners === undefined) this.#stopTimer?.();
    };
  }

  #watchSilence(): void {
    const leftMs = CLIENT_LIMITS.stalledMs - this.#silentMs();
    const delayMs = leftMs > 0 ? leftMs : CLIENT_LIMITS.stalledMs;
    this.#stopTimer = this.#host.clock.setTimer(() => {
      this.refresh();
      this.#watchSilence();
    }, delayMs);
  }

  #silentMs(): number {
    const { clock, feed } = this.#host;
    return clock.now() - Math.max(feed.receivedAt, this.#statedAt);
  }
}
