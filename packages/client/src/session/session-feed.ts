import {
  type Clock,
  type ConnectionError,
  type EnvelopeMeta,
  type FollowSessionResult,
  type InboundNotification,
  type InboundRequest,
  isSessionNotificationsParams,
  NO_ANSWER,
  type SessionNotification,
  SessionState,
  type TrackedTurn,
} from "@daemon-sdk/protocol";
import type { NewLink, SessionView } from "../connection/index.js";
import type { RequestInbox } from "./request-inbox.js";
import type { SessionAttachment, SessionGap } from "./session-attachment.js";
import type { CreditLease, SessionCredit } from "./session-credit.js";
import { SessionCursor } from "./session-cursor.js";

/** Called with every notification of a session, of known and unknown types alike. */
export type NotificationListener = (notification: SessionNotification) => void;

/** The running stream, as the feed delivers to it. */
export interface EventSink {
  /** Takes a notification; `meta` has its position. True: its events wait in the sink, which returns `bytes` of credit once they are consumed. */
  deliver(notification: SessionNotification, bytes: number, meta?: EnvelopeMeta): boolean;
}

/** Reacts to what happens in a session. It consumes no events: without a stream or a listener none are sent. */
export interface SessionObserver {
  /** A notification was applied and delivered; `ended` are the turns that it ended. Text deltas only while they are wanted. */
  onEvent(notification: SessionNotification, ended: readonly TrackedTurn[]): void;
  /**
   * A notification was sent ahead of its place, because credit holds back the entries before it. It is sent again at its place.
   * Not called for notices: each is delivered when its first copy is received.
   */
  onEarly(notification: SessionNotification): void;
  /** The daemon sent a request. */
  onRequest(): void;
  /** In-order events continue at another position: that of `result`, or on a new link the last position received. */
  onBegin(result?: FollowSessionResult): void;
  /** Entries are missing before the next ones. */
  onGap(gap: SessionGap): void;
  /** Re-attaching failed, the daemon refused events, or the connection has ended. */
  fail(error: Error): void;
}

/** What an observer uses of the feed. */
export type ObservedFeed = Pick<
  SessionFeed,
  "state" | "stream" | "progress" | "receivedAt" | "reattaching" | "wantsDeltas"
>;

/** The session of a {@link SessionFeed}. */
export interface SessionFeedHost {
  readonly clock: Clock;
  /** Whether the daemon offers `turns`. */
  readonly offersTurns: boolean;
  /** Made after the feed, of which it needs the cursor. */
  readonly attachment: SessionAttachment;
  readonly inbox: RequestInbox;
  /** Undefined on daemons without `credit`. */
  readonly credit: SessionCredit | undefined;
  /** Its id. Throws when there is no session, or no connection. */
  requireSession(): string;
  /** Attaches the session anew: the daemon no longer had the next entry, and detached the session (docs/protocol.md §9). */
  reattach(): void;
  /** Receives what listeners throw. */
  report(error: Error): void;
  onConnectionEnd(error: ConnectionError): void;
}

const LOADED_AT = Date.now();
const NEVER = -1;
const NO_TURNS: readonly TrackedTurn[] = [];
const NO_LISTENERS: readonly NotificationListener[] = [];

/**
 * One session's end of the shared socket: delivers its notifications and requests, and returns the credit that they cost.
 *
 * With ten thousand sessions on a socket, each event finds the objects of its session outside the processor's caches, so a text
 * delta touches as few of them as it can. Therefore a feed is the cursor of its session, and delivers to the stream itself.
 */
export class SessionFeed extends SessionCursor implements SessionView {
  // The fields that a text delta needs come first, so that they share cache lines.
  /** Notifies the present listeners. With one listener it is that listener, so that an event need not read the list. */
  #notify: NotificationListener | undefined;
  /**
   * Milliseconds since {@link LOADED_AT}. A small integer for weeks: V8 stores those in place, and other numbers in objects of
   * their own.
   */
  #receivedAfter = NEVER;
  /** The running stream. */
  stream: EventSink | undefined;
  /** Whether the observer is notified of text deltas, too. */
  wantsDeltas = false;
  readonly #credit: SessionCredit | undefined;
  readonly #clock: Clock;
  observer: SessionObserver | undefined;
  /** Working state and open turns. The requests that wait are in the inbox, with their handlers. */
  readonly state: SessionState;
  #listeners: readonly NotificationListener[] = NO_LISTENERS;
  readonly #host: SessionFeedHost;
  #lease: CreditLease | undefined;

  constructor(host: SessionFeedHost) {
    super();
    this.#clock = host.clock;
    this.#credit = host.credit;
    this.state = new SessionState({ turns: host.offersTurns });
    this.#host = host;
  }

  /** When the last frame of the session was received, by the clock; 0: never. */
  get receivedAt(): number {
    return this.#receivedAfter === NEVER ? 0 : this.#receivedAfter + LOADED_AT;
  }

  /** Resolves when the call in flight that attaches the session anew has ended; undefined when there is none. */
  get reattaching(): Promise<void> | undefined {
    return this.#host.attachment.reattaching;
  }

  get progress(): number {
    return this.position?.seq ?? 0;
  }

  onNotification(notification: SessionNotification, { meta, frame }: InboundNotification): void {
    this.#receive(notification, meta, this.#credit?.costOf(frame) ?? 0);
  }

  /** The entries share the bytes of their message: a sum is all that credit needs. */
  onBatch({ params, meta, frame }: InboundNotification): void {
    if (!isSessionNotificationsParams(params)) return;
    const { notifications } = params;
    const { epoch, seq = 0 } = meta ?? {};
    let left = this.#credit?.costOf(frame) ?? 0;
    notifications.forEach((notification, index) => {
      // At least 1 for each, because an event that costs nothing is not returned to the window.
      const cost = Math.ceil(left / (notifications.length - index));
      left -= cost;
      this.#receive(notification, epoch === undefined ? meta : { epoch, seq: seq + index }, cost);
    });
  }

  #receive(notification: SessionNotification, meta: EnvelopeMeta | undefined, cost: number): void {
    const place = this.take(meta);
    if (place === "duplicate") return;
    if (place === "hole") this.#host.attachment.missed();
    this.#receivedAfter = this.#clock.now() - LOADED_AT;
    const credit = this.#credit;
    const isDelta = notification.type === "assistant_text_delta";
    if (!isDelta && this.#isUnsubscribed(notification)) return;
    // A notice concerns no other entry, so its first copy is delivered: the entries before it may never be received.
    const isNotice = !isDelta && notification.type === "session_notice";
    if (isNotice && place === "again") return;
    // Before the position of the next events is known, and without a consumer, the early copy is handled instead of the entry.
    if (meta?.early === true && !isNotice && credit?.hasConsumer === true && !credit.isFollowing) {
      this.state.foretell(notification);
      this.observer?.onEarly(notification);
      return;
    }
    const bytes = credit === undefined ? 0 : credit.arrived(notification, cost);
    // The present listeners: the session's end removes them, and is still delivered to them.
    const notify = this.#notify;
    const ended = isDelta ? NO_TURNS : this.state.apply(notification);
    const isHeld = this.stream?.deliver(notification, bytes, meta) === true;
    if (!isDelta || this.wantsDeltas) this.observer?.onEvent(notification, ended);
    if (notify !== undefined) this.#call(notify, notification);
    if (bytes > 0 && !isHeld) credit?.consumed(bytes);
  }

  onRequest(request: InboundRequest): unknown {
    const { attachment, inbox } = this.#host;
    if (!attachment.takesRequest(request)) return NO_ANSWER;
    const outcome = inbox.receive(this.#host.requireSession(), request);
    this.observer?.onRequest();
    return outcome;
  }

  onRepeatedRequest({ meta }: InboundRequest): void {
    if (this.take(meta) === "hole") this.#host.attachment.missed();
  }

  reattach(link: NewLink): Promise<void> {
    return this.#host.attachment.reattach(link);
  }

  onConnectionEnd(error: ConnectionError): void {
    this.#host.onConnectionEnd(error);
  }

  /** Calls back with every notification, in order; the returned function stops it. */
  listen(listener: NotificationListener): () => void {
    // Copied on change: a listener may subscribe or stop during a notification.
    this.#setListeners([...this.#listeners, listener]);
    this.#lease ??= this.#credit?.attach();
    let isListening = true;
    return () => {
      const index = isListening ? this.#listeners.indexOf(listener) : -1;
      isListening = false;
      if (index < 0) return;
      this.#setListeners(this.#listeners.filter((_, at) => at !== index));
      if (this.#listeners.length === 0) this.close();
    };
  }

  /** Removes all listeners. */
  close(): void {
    this.#setListeners(NO_LISTENERS);
    this.#lease?.end();
    this.#lease = undefined;
  }

  /** Whether the daemon detached the session because it no longer has the next entry. The inbox gets every other notification. */
  #isUnsubscribed(notification: SessionNotification): boolean {
    if (notification.type === "session_unsubscribed" && notification.code === "RESUME_TOO_OLD") {
      // A consumer that begins now attaches the session by itself, at the journal's end.
      if (!this.#credit?.isFollowing) this.#host.reattach();
      return true;
    }
    this.#host.inbox.observe(notification);
    return false;
  }

  #setListeners(listeners: readonly NotificationListener[]): void {
    this.#listeners = listeners;
    this.#notify = listeners.length > 1 ? (notification) => this.#callAll(listeners, notification) : listeners[0];
  }

  #callAll(listeners: readonly NotificationListener[], notification: SessionNotification): void {
    for (const listener of listeners) this.#call(listener, notification);
  }

  #call(listener: NotificationListener, notification: SessionNotification): void {
    try {
      listener(notification);
    } catch (error) {
      this.#host.report(error as Error);
    }
  }
}
