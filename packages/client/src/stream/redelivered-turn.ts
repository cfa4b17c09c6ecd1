import {
  type EnvelopeMeta,
  type GetTurnEventsResult,
  type Receipt,
  type SessionNotification,
  SessionState,
  type TrackedTurn,
  type TurnEnd,
} from "@daemon-sdk/protocol";
import { type ObservedFeed, REASON_OF_STATE } from "../session/index.js";
import { TurnEvents, type TurnEventsOptions } from "./turn-events.js";

/** Options of {@link RedeliveredTurn}. */
export interface RedeliveredTurnOptions extends TurnEventsOptions {
  readonly feed: Pick<ObservedFeed, "state" | "progress">;
  /** Reads a page of the turn's events; without a number, the first page. */
  readTurn(fromSeq: number | undefined): Promise<GetTurnEventsResult>;
}

/**
 * The events of a turn whose message the daemon may have had before (docs/protocol.md §7). What happened before the stream began is
 * read from the daemon, and yielded first.
 *
 * Whether there is such a history is known when the daemon has acknowledged the message. Until then, and while the history is read,
 * live deliveries are held back. Credit bounds what is held back; the history is read a page at a time. So this stream is behind
 * the session, and tracks its turn in a state of its own.
 */
export class RedeliveredTurn extends TurnEvents {
  readonly #options: RedeliveredTurnOptions;
  /** The session's state after the last notification that this stream has taken. */
  #state: SessionState | undefined;
  /** Live deliveries that wait for the history; undefined once they are released. */
  #held: (() => void)[] | undefined = [];
  /** The number of the last entry before the stream's live events. */
  #beginsAfter: number | undefined;
  #acknowledgement: { readonly receipt: Receipt | undefined } | undefined;
  #hasStartedOver = false;

  constructor(options: RedeliveredTurnOptions) {
    super(options);
    this.#options = options;
  }

  override begin(turn: TrackedTurn): void {
    const { feed, messageId } = this.#options;
    this.#state = SessionState.from(feed.state.snapshot());
    this.collect(this.#state.turn(messageId) ?? turn);
    this.#beginsAfter = feed.progress;
    this.#decide();
    if (this.#held === undefined) this.concludeIfEnded();
  }

  override acknowledged(receipt: Receipt | undefined): void {
    super.acknowledged(receipt);
    this.#acknowledgement = { receipt };
    this.#decide();
  }

  override deliver(notification: SessionNotification, bytes: number, meta: EnvelopeMeta | undefined): boolean {
    if (this.#held === undefined || !this.isTaking) return this.take(notification, bytes, meta);
    const { lease } = this;
    lease?.hold(bytes);
    this.#held.push(() => {
      if (!this.take(notification, bytes, meta, true)) lease?.taken(bytes);
    });
    return bytes > 0;
  }

  protected override take(
    notification: SessionNotification,
    bytes: number,
    meta?: EnvelopeMeta,
    isHeld?: boolean,
  ): boolean {
    if (this.isTaking) this.#state?.apply(notification);
    return super.take(notification, bytes, meta, isHeld);
  }

  protected override endTurn(end: TurnEnd): void {
    super.endTurn(end);
    this.#state?.end(this.#options.messageId, end);
  }

  protected override inOrder(act: () => void): void {
    if (this.#held === undefined || !this.isTaking) super.inOrder(act);
    else this.#held.push(() => super.inOrder(act));
  }

  /** Decides, once both are known, whether a part of the turn lies before the stream's first live event. */
  #decide(): void {
    if (this.#acknowledgement === undefined || this.#beginsAfter === undefined) return;
    const { receipt } = this.#acknowledgement;
    // Without a receipt the message is new. A turn that waited at the acknowledgement may have begun before the stream did.
    const mayHaveBegun = receipt !== undefined && (receipt.firstSeq ?? 0) <= this.#beginsAfter;
    if (mayHaveBegun) void this.#read(this.#beginsAfter);
    else this.#release();
  }

  async #read(lastSeq: number): Promise<void> {
    const { readTurn, queue, onFailure } = this.#options;
    let fromSeq: number | undefined;
    try {
      do {
        const page = await readTurn(fromSeq);
        if (this.isTaking) this.#takePage(page, lastSeq);
        fromSeq = page.nextSeq;
        await queue.whenEmpty();
      } while (this.isTaking && fromSeq !== undefined && fromSeq <= lastSeq);
      this.#release();
    } catch (error) {
      onFailure(error as Error);
    }
  }

  #takePage({ events, messages, receipt, nextSeq }: GetTurnEventsResult, lastSeq: number): void {
    for (const { epoch, seq, notification } of events) {
      if (seq > lastSeq) return;
      this.#startOver();
      this.take(notification, 0, epoch === undefined ? undefined : { epoch, seq });
    }
    if (messages !== undefined) {
      // The journal no longer has the turn's events.
      this.#startOver();
      this.pushGap({ reason: "too-old" });
      for (const missed of this.missed(messages)) this.take(missed, 0);
    }
    // The end of a turn that ended later is among the deliveries that are held back.
    if (nextSeq === undefined && (receipt.lastSeq ?? 0) <= lastSeq && REASON_OF_STATE.has(receipt.state))
      this.#takeEnd(receipt);
  }

  /** Ends the turn as its receipt states, if no event did. */
  #takeEnd({ state, reason = REASON_OF_STATE.get(state), text }: Receipt): void {
    const { messageId } = this.#options;
    super.endTurn({ by: "idle" });
    if (!this.isTaking) return;
    this.#startOver();
    if (text !== undefined) this.noteAnswer(text);
    this.take({ type: "agent_turn_completed", turnId: messageId, reason }, 0);
  }

  /** Tracks the turn from its first event, once. */
  #startOver(): void {
    if (this.#hasStartedOver) return;
    this.#hasStartedOver = true;
    this.#state = new SessionState({ turns: true });
    this.collect(this.#state.expect({ messageId: this.#options.messageId }));
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) deliver();
  }
}
