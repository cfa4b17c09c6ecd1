import { CLIENT_LIMITS, type Credit, type FollowSessionResult, type SessionNotification } from "@daemon-sdk/protocol";

/** How a {@link SessionCredit} calls the daemon. */
export interface CreditWire {
  /** Whether the daemon may send several events in one message. Default: no. */
  readonly takesBatches?: boolean;
  /**
   * `follow_session`; `onResult` is called in the tick the answer is read, before any later frame is. False when nothing was
   * sent, because there is no session yet or no link: {@link SessionCredit.attaching} then holds the credit.
   */
  follow(credit: Credit, onResult: (result: FollowSessionResult) => void): boolean;
  /** `grant_credit`; dropped without a link. */
  grant(credit: Credit): void;
  /**
   * Called when in-order events continue at another position, before the first of them is delivered: with the answer to
   * `follow_session`, or on a new link without one.
   */
  onBegin(result?: FollowSessionResult): void;
}

/** One consumer of a session's events: a running stream, or the listeners. */
export interface CreditLease {
  /** An event of that cost waits for this consumer. */
  hold(bytes: number): void;
  /** The consumer has taken an event of that cost. Without effect after {@link end}. */
  taken(bytes: number): void;
  /** The consumer has ended: the events that it held count as consumed. */
  end(): void;
}

const WINDOW: Credit = { events: CLIENT_LIMITS.creditEvents, bytes: CLIENT_LIMITS.creditBytes };

/**
 * Flow control of one session on a daemon that offers `credit` (docs/protocol.md §9, "Credit").
 *
 * Without a consumer no credit is granted. The first consumer begins at the journal's end, with a whole window. What consumers
 * have taken is granted back in quarters of a window. Events in flight, events that wait here and the granted credit are never
 * more than one window: a reader that stops costs that much here, and nothing in the daemon. After the last consumer nothing
 * more is granted.
 *
 * The counts are fields instead of objects, because each event changes them, and finds them outside the processor's caches
 * (session-feed.ts).
 */
export class SessionCredit {
  readonly #wire: CreditWire;
  #consumers = 0;
  /**
   * Set until the position at which the first consumer begins is known: events before that position were sent on earlier credit.
   */
  #following: object | undefined;
  /** Whether `follow_session` waits until the session is attached. */
  #isDue = false;
  /** Whether a call that attaches the session is in flight: the daemon may handle it after what is sent later. */
  #isAttaching = false;
  /** What the daemon may still send, or what is in flight. The last event may overdraw it. */
  #grantedEvents = 0;
  #grantedBytes = 0;
  /** What was received and not taken yet. */
  #waitingEvents = 0;
  #waitingBytes = 0;

  constructor(wire: CreditWire) {
    this.#wire = wire;
  }

  /** Whether the next events were sent before the position at which the present consumer begins. */
  get isFollowing(): boolean {
    return this.#following !== undefined;
  }

  /** Whether there is a consumer. Without one the daemon holds events back, and no gap among them matters. */
  get hasConsumer(): boolean {
    return this.#consumers > 0;
  }

  /**
   * Credit to pass in `initialize_session`, `load_session` and `resume_session`: the window less what waits here, none without
   * a consumer. Calling it counts as having granted exactly that. Nothing is granted from then on until {@link attached}.
   */
  attaching(): Credit {
    this.#isAttaching = true;
    const credit = this.#grantAll(!this.#isDue);
    // The answer to `follow_session` was lost with its link. The consumer begins after the last entry received instead.
    if (this.#following !== undefined && !this.#isDue) this.#begin();
    return credit;
  }

  /** The call that {@link attaching} was for is answered: what became due meanwhile is sent. */
  attached(): void {
    this.#isAttaching = false;
    if (this.#isDue) {
      this.#isDue = false;
      this.#following = undefined;
      if (this.#consumers > 0) this.#follow(true);
    } else if (this.#consumers > 0) this.#grantMore();
  }

  /**
   * A consumer begins. The first one makes the daemon continue at the end of the journal.
   *
   * @param fromNow while there is no link, or the session is being attached to one: whether this consumer gets later entries
   *   only. Otherwise it gets every entry since the last one received.
   */
  attach(fromNow = false): CreditLease {
    this.#consumers += 1;
    if (this.#consumers === 1) this.#follow(fromNow);
    const held: Credit = { events: 0, bytes: 0 };
    let hasEnded = false;
    return {
      hold: (bytes) => {
        if (bytes === 0) return;
        held.events += 1;
        held.bytes += bytes;
      },
      taken: (bytes) => {
        if (hasEnded || bytes === 0) return;
        held.events -= 1;
        held.bytes -= bytes;
        this.consumed(bytes);
      },
      end: () => {
        if (hasEnded) return;
        hasEnded = true;
        this.#consumers -= 1;
        this.#take(held.events, held.bytes);
      },
    };
  }

  /** What a message costs, in bytes; 0 while nothing is counted. */
  costOf(frame: string): number {
    return this.#consumers === 0 || this.#following !== undefined ? 0 : utf8Length(frame);
  }

  /**
   * A notification was received in order, in a message of which `bytes` are its share. Returns the bytes that wait until they are
   * {@link consumed}; 0 when it cost no credit.
   */
  arrived(notification: SessionNotification, bytes: number): number {
    if (this.#consumers === 0 || this.#following !== undefined || isFree(notification)) return 0;
    this.#grantedEvents -= 1;
    this.#grantedBytes -= bytes;
    this.#waitingEvents += 1;
    this.#waitingBytes += bytes;
    return bytes;
  }

  /** All consumers have taken an event of that cost. */
  consumed(bytes: number): void {
    this.#take(1, bytes);
  }

  #follow(fromNow: boolean): void {
    this.#waitingEvents = 0;
    this.#waitingBytes = 0;
    const following = {};
    const isSent = !this.#isAttaching && this.#sendFollow(following);
    this.#isDue = fromNow && !isSent;
    this.#following = isSent || fromNow ? following : undefined;
  }

  #sendFollow(following: object): boolean {
    return this.#wire.follow(this.#grantAll(), (result) => {
      // Another `follow_session` may be in flight by now, or there is a new link.
      if (this.#following === following) this.#begin(result);
    });
  }

  #begin(result?: FollowSessionResult): void {
    this.#following = undefined;
    this.#wire.onBegin(result);
  }

  #take(events: number, bytes: number): void {
    this.#waitingEvents -= events;
    this.#waitingBytes -= bytes;
    // A daemon drops a grant that it handles before the session is attached.
    if (this.#consumers > 0 && !this.#isAttaching) this.#grantMore();
  }

  /** Sets what is granted to the window less what waits here. */
  #grantAll(isDue = true): Credit {
    const isWanted = isDue && this.#consumers > 0;
    this.#grantedEvents = isWanted ? Math.max(this.#roomForEvents, 0) : 0;
    this.#grantedBytes = isWanted ? Math.max(this.#roomForBytes, 0) : 0;
    const credit = { events: this.#grantedEvents, bytes: this.#grantedBytes };
    return this.#wire.takesBatches === true ? { ...credit, batches: true } : credit;
  }

  #grantMore(): void {
    const moreEvents = this.#roomForEvents - this.#grantedEvents;
    const moreBytes = this.#roomForBytes - this.#grantedBytes;
    if (moreEvents * 4 < WINDOW.events && moreBytes * 4 < WINDOW.bytes) return;
    // An event larger than the window overdraws one of them; that is made up before more is granted.
    const grant = { events: Math.max(moreEvents, 0), bytes: Math.max(moreBytes, 0) };
    this.#grantedEvents += grant.events;
    this.#grantedBytes += grant.bytes;
    this.#wire.grant(grant);
  }

  /** What may be granted in all, beside what waits here. */
  get #roomForEvents(): number {
    return WINDOW.events - this.#waitingEvents;
  }

  get #roomForBytes(): number {
    return WINDOW.bytes - this.#waitingBytes;
  }
}

/** These types cost no credit, and are sent early where credit holds back the entries before them. */
const FREE: ReadonlySet<string> = new Set([
  "permission_resolved",
  "ask_user_resolved",
  "agent_turn_completed",
  "session_closed",
  "session_notice",
]);

/** An agent may send any number of notices of its own. */
function isFree({ type, code }: SessionNotification): boolean {
  return FREE.has(type) && !(type === "session_notice" && code === "AGENT_NOTICE");
}

const SCRATCH = new Uint8Array(16 * 1024);
const encoder = new TextEncoder();

/** Bytes of a text in UTF-8, as the daemon counts them. A tenth of the time that encoding to a new array takes. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (let rest = text; rest !== ""; ) {
    const { read, written } = encoder.encodeInto(rest, SCRATCH);
    bytes += written;
    rest = rest.slice(read);
  }
  return bytes;
}
