import type { FollowSessionResult, InboundNotification, SessionNotification } from "@daemon-sdk/protocol";
import type { SessionGap } from "./session-attachment.js";
import type { CreditLease, SessionCredit } from "./session-credit.js";

/** Hears every notification of a session, of known and unknown types alike. */
export type NotificationListener = (notification: SessionNotification) => void;

/** What follows a session's turns; unlike a listener it is no consumer of events by itself. */
export interface SessionObserver {
  /** Each notification in order, once. True: it costs `bytes` of credit, and this observer gives them back later. */
  onEvent(notification: SessionNotification, bytes: number): boolean;
  /** A notification sent ahead of its place, because credit holds back what is before it; it comes again. */
  onEarly(notification: SessionNotification): void;
  /** The daemon asks something. */
  onRequest(): void;
  /** In-order events go on at another place, told by the daemon unless the connection was made anew. */
  onBegin(result?: FollowSessionResult): void;
  /** Entries are missing before those that come now. */
  onGap(gap: SessionGap): void;
  /** The session could not be attached again to a new link; its handle is detached. */
  onLost(error: Error): void;
  /** No events can be had, although there is a consumer. */
  onFollowFailed(error: Error): void;
}

/** Hands a session's notifications to who reads them, and gives back the credit they cost. */
export class SessionFeed {
  observer: SessionObserver | undefined;
  readonly #credit: SessionCredit | undefined;
  readonly #onError: (error: Error) => void;
  #listeners: readonly NotificationListener[] = [];
  #lease: CreditLease | undefined;

  /**
   * @param credit undefined on daemons without `credit`
   * @param onError told what listeners throw
   */
  constructor(credit: SessionCredit | undefined, onError: (error: Error) => void) {
    this.#credit = credit;
    this.#onError = onError;
  }

  /** Takes one notification. */
  deliver(notification: SessionNotification, { meta, frame }: InboundNotification): void {
    const credit = this.#credit;
    // Before a place is known where events go on, and without a consumer, an early copy is the only one that counts.
    if (meta?.early === true && credit?.hasConsumer === true && !credit.isFollowing) {
      this.observer?.onEarly(notification);
      return;
    }
    const bytes = credit === undefined ? 0 : credit.arrived(notification.type, frame);
    // Those of now: what ends the session ends its listeners, too, and they are to hear why.
    const listeners = this.#listeners;
    const isHeld = this.observer?.onEvent(notification, bytes) === true;
    this.#tell(notification, listeners);
    if (bytes > 0 && !isHeld) credit?.consumed(bytes);
  }

  /** Calls back with every notification, in order; the returned function stops it. */
  listen(listener: NotificationListener): () => void {
    // Copied on change: a listener may subscribe or stop while one is being told.
    this.#listeners = [...this.#listeners, listener];
    this.#lease ??= this.#credit?.attach();
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener);
      if (this.#listeners.length === 0) this.close();
    };
  }

  /** Nobody is told any more. */
  close(): void {
    this.#listeners = [];
    this.#lease?.end();
    this.#lease = undefined;
  }

  #tell(notification: SessionNotification, listeners: readonly NotificationListener[]): void {
    for (const listener of listeners) {
      try {
        listener(notification);
      } catch (error) {
        this.#onError(error as Error);
      }
    }
  }
}
