import {
  activityOf,
  CLIENT_LIMITS,
  type Clock,
  type Open,
  type SessionActivity,
  type SessionNotification,
  type WorkingState,
} from "@daemon-sdk/protocol";

/** Calls back with what a session waits for, when that has changed. */
export type ActivityListener = (activity: SessionActivity) => void;

/** What a {@link SessionActivityWatch} asks of the session. */
export interface ActivityHost {
  readonly clock: Clock;
  /** Requests that wait for an answer. */
  readonly pendingRequests: number;
  /** Whether the way to the session is there. */
  readonly isReachable: boolean;
  /** Whether its events come; where they do not, its silence means nothing. */
  readonly hearsEvents: boolean;
  /** Knows when it was heard last, by the clock; 0: never. */
  readonly feed: { readonly heardAt: number };
}

/** What a session waits for, derived from what it says and from its silence; see `SessionActivity` of the protocol. */
export class SessionActivityWatch {
  readonly #host: ActivityHost;
  readonly #onError: (error: Error) => void;
  #state: Open<WorkingState> = "idle";
  #isGone = false;
  /** When this began, or the state was found in another way than by an event. */
  #foundAt: number;
  #told: SessionActivity | undefined;
  #listeners: readonly ActivityListener[] | undefined;
  #stopTimer: (() => void) | undefined;

  /** @param onError told what listeners throw */
  constructor(host: ActivityHost, onError: (error: Error) => void) {
    this.#host = host;
    this.#onError = onError;
    this.#foundAt = host.clock.now();
  }

  /** Whether no turn runs, as far as it was told. */
  get isIdle(): boolean {
    return this.#state === "idle";
  }

  /** Whether anybody listens. */
  get isWatched(): boolean {
    return this.#listeners !== undefined;
  }

  /** What the session waits for now. */
  get current(): SessionActivity {
    const { pendingRequests, isReachable, hearsEvents } = this.#host;
    return activityOf({
      workingState: this.#state,
      pendingRequests,
      silentMs: hearsEvents ? this.#silentMs() : 0,
      isReachable: isReachable && !this.#isGone,
    });
  }

  /** Takes in a notification, early copies included; text deltas only while anybody listens. */
  heard(notification: SessionNotification): void {
    switch (notification.type) {
      case "assistant_text_delta":
        break;
      case "droid_working_state_changed":
        this.found(notification.newState as string);
        break;
      case "agent_turn_completed":
        this.found("idle");
        break;
      case "session_process_exited":
      case "session_closed":
        this.#isGone = true;
    }
    this.refresh();
  }

  /** The session is in that state; a prompt that was taken puts it to work. */
  found(state: Open<WorkingState>): void {
    this.#foundAt = this.#host.clock.now();
    this.#isGone = false;
    this.#state = state;
    this.refresh();
  }

  /** Something may have changed that no notification tells. */
  refresh(): void {
    if (this.#listeners === undefined) return;
    const activity = this.current;
    if (activity === this.#told) return;
    this.#told = activity;
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
      this.#told = this.current;
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
    return clock.now() - Math.max(feed.heardAt, this.#foundAt);
  }
}
