import { CLIENT_LIMITS, type Credit, type FollowSessionResult } from "@daemon-sdk/protocol";

/** What a {@link SessionCredit} says to the daemon. */
export interface CreditWire {
  /**
   * `follow_session`; `onResult` is called in the tick the answer is read, before any later frame is. False when nothing was
   * sent, because there is no session yet or no link: {@link SessionCredit.attaching} then holds the credit.
   */
  follow(credit: Credit, onResult: (result: FollowSessionResult) => void): boolean;
  /** `grant_credit`; dropped while the connection is away. */
  grant(credit: Credit): void;
}

/** One consumer of a session's events: a running stream, or the listeners. */
export interface CreditLease {
  /** An event of that cost waits for this consumer. */
  hold(bytes: number): void;
  /** This consumer has taken it. Means nothing after {@link end}. */
  taken(bytes: number): void;
  /** The consumer is gone: what it held counts as consumed. */
  end(): void;
}

const WINDOW: Credit = { events: CLIENT_LIMITS.creditEvents, bytes: CLIENT_LIMITS.creditBytes };

/**
 * Flow control of one session on a daemon that offers `credit` (docs/protocol.md §9, "Credit").
 *
 * Without a consumer no credit is given. The first one begins at the journal's end, with a whole window; what consumers have
 * taken is granted back in quarters. On its way to this client, waiting here and granted is never more than one window: so a
 * reader that stops costs that much here, and nothing in the daemon. When the last consumer leaves nothing more is granted.
 *
 * The counts are fields and no objects: each event changes them, and finds them out of the processor's caches (session-feed.ts).
 */
export class SessionCredit {
  readonly #wire: CreditWire;
  readonly #onBegin: (result?: FollowSessionResult) => void;
  #consumers = 0;
  /** Set until it is known where the first consumer begins: events that come before were sent on earlier credit. */
  #following: object | undefined;
  /** Whether `follow_session` waits until the session is attached. */
  #isDue = false;
  /** Whether a call that attaches the session is in flight: the daemon may handle it after what is sent later. */
  #isAttaching = false;
  /** What the daemon may still send, or has on its way; the last event may overdraw it. */
  #grantedEvents = 0;
  #grantedBytes = 0;
  /** What came and was not taken yet. */
  #waitingEvents = 0;
  #waitingBytes = 0;

  /**
   * @param onBegin called before the first event of a new consumer comes: with the place after which in-order events go on, or
   *   without it when the connection was made anew meanwhile
   */
  constructor(wire: CreditWire, onBegin: (result?: FollowSessionResult) => void) {
    this.#wire = wire;
    this.#onBegin = onBegin;
  }

  /** Whether events that come now were sent before the place where the present consumer begins. */
  get isFollowing(): boolean {
    return this.#following !== undefined;
  }

  /** Whether anybody consumes; else the daemon holds events back, and no gap among them matters. */
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
    // The answer was lost with its link, but not what its consumer did since.
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
   * A consumer begins. The first one makes the daemon go on at the end of its journal.
   *
   * @param fromNow while there is no link, or the session is being attached to one: whether nothing older may come to this
   *   consumer. Else it gets everything since the last entry that came, so that it misses nothing of that time.
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

  /** A notification has come in its place, as `frame`. The bytes that wait until they are {@link consumed}; 0 when it cost none. */
  arrived(type: string, frame: string): number {
    if (this.#consumers === 0 || this.#following !== undefined || FREE.has(type)) return 0;
    const bytes = utf8Length(frame);
    this.#grantedEvents -= 1;
    this.#grantedBytes -= bytes;
    this.#waitingEvents += 1;
    this.#waitingBytes += bytes;
    return bytes;
  }

  /** One event of that cost was taken by everybody. */
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
      // Another one may be in flight by now, or the link was made anew.
      if (this.#following === following) this.#begin(result);
    });
  }

  #begin(result?: FollowSessionResult): void {
    this.#following = undefined;
    this.#onBegin(result);
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
    return { events: this.#grantedEvents, bytes: this.#grantedBytes };
  }

  #grantMore(): void {
    const moreEvents = this.#roomForEvents - this.#grantedEvents;
    const moreBytes = this.#roomForBytes - this.#grantedBytes;
    if (moreEvents * 4 < WINDOW.events && moreBytes * 4 < WINDOW.bytes) return;
    // An event larger than the window overdraws one of them; it is made up before more is given.
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

/** They are sent early where credit holds the others back, and cost nothing. */
const FREE: ReadonlySet<string> = new Set([
  "permission_resolved",
  "ask_user_resolved",
  "agent_turn_completed",
  "session_closed",
]);

const SCRATCH = new Uint8Array(16 * 1024);
const encoder = new TextEncoder();

/** Bytes of a text in UTF-8, as the daemon counts them; a tenth of what it costs to make them. */
function utf8Length(text: string): number {
  if (text.length * 3 > SCRATCH.length) return encoder.encode(text).length;
  return encoder.encodeInto(text, SCRATCH).written;
}
