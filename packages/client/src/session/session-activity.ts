import { activityOf, CLIENT_LIMITS, type Clock, type SessionActivity } from "@daemon-sdk/protocol";
import type { ConnectionCalls, StatusEvents } from "../connection/index.js";
import type { DaemonClient } from "./daemon-client.js";
import type { ObservedFeed } from "./session-feed.js";

/** Called with what a session waits for, when that has changed. */
export type ActivityListener = (activity: SessionActivity) => void;

/** The session of a {@link SessionActivityWatch}. */
export interface ActivityHost {
  readonly clock: Clock;
  readonly client: Pick<DaemonClient, "pendingRequests" | "isConnected" | "credit" | "onNotification">;
  readonly feed: Pick<ObservedFeed, "state" | "receivedAt" | "wantsDeltas">;
  /** `calls` and `status` state whether there is a link now. */
  readonly calls: Pick<ConnectionCalls, "isOpen">;
  readonly status: Pick<StatusEvents, "listen">;
  /** Receives what listeners throw. */
  readonly onError: (error: Error) => void;
}

/** Derives what a session waits for from its state and from its silence; see `SessionActivity` of the protocol. */
export class SessionActivityWatch {
  readonly #host: ActivityHost;
  /** When this watch began, or a result stated the working state. */
  #statedAt: number;
  #notified: SessionActivity | undefined;
  #listeners: readonly ActivityListener[] | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(host: ActivityHost) {
    this.#host = host;
    this.#statedAt = host.clock.now();
  }

  /** Whether there is a link to the daemon, and the session can be called. */
  get isReachable(): boolean {
    const { calls, client } = this.#host;
    return calls.isOpen && client.isConnected;
  }

  /** What the session waits for now. */
  get current(): SessionActivity {
    const { client, feed } = this.#host;
    // A daemon that sends no events, because nobody consumes any, is silent for another reason.
    const receivesEvents = client.credit?.hasConsumer !== false;
    return activityOf({
      workingState: feed.state.latestWorkingState,
      pendingRequests: client.pendingRequests,
      silentMs: receivesEvents ? this.#silentMs() : 0,
      isReachable: this.isReachable && !feed.state.isGone,
    });
  }

  /** A result stated the working state. That ends a silence, as an event does. */
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
        this.#host.onError(error as Error);
      }
    }
  }

  /**
   * Calls back with each change; the returned function removes the listener. Until then the session's events are consumed, because
   * they state the working state.
   */
  listen(listener: ActivityListener): () => void {
    const { client, status } = this.#host;
    const stops = [
      client.onNotification(() => {}),
      this.#add(listener),
      status.listen(() => this.refresh()),
      () => this.#requestDeltas(),
    ];
    this.#requestDeltas();
    return () => {
      for (const stop of stops) stop();
    };
  }

  #add(listener: ActivityListener): () => void {
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

  #requestDeltas(): void {
    this.#host.feed.wantsDeltas = this.#listeners !== undefined;
  }

  #watchSilence(): void {
    const remainingMs = CLIENT_LIMITS.stalledMs - this.#silentMs();
    const delayMs = remainingMs > 0 ? remainingMs : CLIENT_LIMITS.stalledMs;
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
