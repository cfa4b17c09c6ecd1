import {
  type Clock,
  type ConnectionError,
  type FollowSessionResult,
  type InboundNotification,
  type InboundRequest,
  NO_ANSWER,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { NewLink, SessionView } from "../connection/index.js";
import type { RequestInbox } from "./request-inbox.js";
import type { SessionAttachment, SessionGap } from "./session-attachment.js";
import type { CreditLease, SessionCredit } from "./session-credit.js";
import { SessionCursor } from "./session-cursor.js";

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
  /** The session could not be attached again to a new link, or no events can be had although there is a consumer. */
  fail(error: Error): void;
}

/** What an observer asks of the feed. */
export type ObservedFeed = Pick<SessionFeed, "heardAt" | "wantsDeltas">;

/** Options of {@link SessionFeed}. */
export interface SessionFeedOptions {
  readonly clock: Clock;
  /** Asked for when it is needed; it reads the feed's position. */
  attachment(): SessionAttachment;
  readonly inbox: RequestInbox;
  /** Undefined on daemons without `credit`. */
  readonly credit: SessionCredit | undefined;
  sessionId(): string;
  /** Attaches the session anew: the daemon no longer had what comes next, and detached it (docs/protocol.md §9). */
  reattach(): void;
  /** Told what listeners throw. */
  onError(error: Error): void;
  onConnectionEnd(error: ConnectionError): void;
}

const LOADED_AT = Date.now();
const NEVER = -1;

/**
 * One session's end of the shared socket: hands what the daemon tells and asks to who reads it, and gives back the credit it costs.
 *
 * With ten thousand sessions on a socket each event finds its session's objects out of the processor's caches, so the way of a
 * text delta touches as few of them as it can. Therefore a feed is its session's cursor, and does not have one.
 */
export class SessionFeed extends SessionCursor implements SessionView {
  // What a text delta needs comes first: it then lies in one place.
  /** Tells whoever listens now. With one listener it is that one, so that an event need not look into the list. */
  #tell: NotificationListener | undefined;
  /** Milliseconds from {@link LOADED_AT} on. Small for weeks: V8 keeps small integers in place, and others in objects of their own. */
  #heardAfter = NEVER;
  /** Whether the observer is told of text deltas; else only that the session was heard. */
  wantsDeltas = false;
  observer: SessionObserver | undefined;
  readonly #credit: SessionCredit | undefined;
  readonly #clock: Clock;
  #listeners: readonly NotificationListener[] = [];
  readonly #options: SessionFeedOptions;
  #lease: CreditLease | undefined;

  constructor(options: SessionFeedOptions) {
    super();
    this.#clock = options.clock;
    this.#credit = options.credit;
    this.#options = options;
  }

  /** When the session was heard last, by the clock; 0: never. */
  get heardAt(): number {
    return this.#heardAfter === NEVER ? 0 : this.#heardAfter + LOADED_AT;
  }

  get progress(): number {
    return this.position?.seq ?? 0;
  }

  onNotification(notification: SessionNotification, { meta, frame }: InboundNotification): void {
    const place = this.take(meta);
    if (place === "duplicate") return;
    if (place === "hole") this.#options.attachment().missed();
    this.#heardAfter = this.#clock.now() - LOADED_AT;
    const isDelta = notification.type === "assistant_text_delta";
    const credit = this.#credit;
    if (!isDelta) {
      if (notification.type === "session_unsubscribed" && notification.code === "RESUME_TOO_OLD") {
        // A consumer that begins attaches the session anew in any case, at the journal's end.
        if (!credit?.isFollowing) this.#options.reattach();
        return;
      }
      this.#options.inbox.observe(notification);
    }
    // Before a place is known where events go on, and without a consumer, an early copy is the only one that counts.
    if (credit?.hasConsumer === true && meta?.early === true && !credit.isFollowing) {
      this.observer?.onEarly(notification);
      return;
    }
    const bytes = credit === undefined ? 0 : credit.arrived(notification.type, frame);
    // Those of now: what ends the session ends its listeners, too, and they are to hear why.
    const tell = this.#tell;
    const isHeld = (!isDelta || this.wantsDeltas) && this.observer?.onEvent(notification, bytes) === true;
    if (tell !== undefined) this.#call(tell, notification);
    if (bytes > 0 && !isHeld) credit?.consumed(bytes);
  }

  onRequest(request: InboundRequest): unknown {
    const { attachment, inbox, sessionId } = this.#options;
    if (!attachment().takesRequest(request)) return NO_ANSWER;
    const outcome = inbox.receive(sessionId(), request);
    this.observer?.onRequest();
    return outcome;
  }

  onRepeatedRequest({ meta }: InboundRequest): void {
    if (this.take(meta) === "hole") this.#options.attachment().missed();
  }

  reattach(link: NewLink): Promise<void> {
    return this.#options.attachment().reattach(link);
  }

  onConnectionEnd(error: ConnectionError): void {
    this.#options.onConnectionEnd(error);
  }

  /** Calls back with every notification, in order; the returned function stops it. */
  listen(listener: NotificationListener): () => void {
    // Copied on change: a listener may subscribe or stop while one is being told.
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

  /** Nobody is told any more. */
  close(): void {
    this.#setListeners([]);
    this.#lease?.end();
    this.#lease = undefined;
  }

  #setListeners(listeners: readonly NotificationListener[]): void {
    const tellAll: NotificationListener = (notification) => {
      for (const listener of listeners) this.#call(listener, notification);
    };
    this.#listeners = listeners;
    this.#tell = listeners.length > 1 ? tellAll : listeners[0];
  }

  #call(listener: NotificationListener, notification: SessionNotification): void {
    try {
      listener(notification);
    } catch (error) {
      this.#options.onError(error as Error);
    }
  }
}
