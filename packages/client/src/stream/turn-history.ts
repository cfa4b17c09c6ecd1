import type { GetTurnEventsResult, Receipt, SessionMessage, SessionNotification } from "@daemon-sdk/protocol";
import { REASON_OF_STATE } from "../session/index.js";

/** What a {@link TurnHistory} uses of its stream. */
export interface HistoryOwner {
  readonly messageId: string;
  /** Whether the stream still takes events in. */
  isRunning(): boolean;
  /** Reads a page of the turn's events. */
  readTurn(fromSeq: number | undefined): Promise<GetTurnEventsResult>;
  /** The turn's first event is among those that are taken in next. */
  startOver(): void;
  takeIn(notification: SessionNotification): void;
  /** The journal no longer has the turn's events; these messages are left of them. */
  takeMessages(messages: readonly SessionMessage[]): void;
  /** Takes in the answer of a turn whose last message is not known. */
  takeAnswer(text: string): void;
  /** The turn ended before the stream began. */
  hasEnded(): void;
  /** Resolves when the consumer has taken what waits. */
  whenTaken(): Promise<void>;
  fail(error: Error): void;
}

/**
 * What happened in a turn before its stream began: for a message that the daemon had before (docs/protocol.md §7).
 *
 * Until the daemon has acknowledged the message, nobody knows whether there is a history. What the stream receives meanwhile is held
 * back, and released after the history. Credit bounds what is held back; the history is read a page at a time.
 */
export class TurnHistory {
  readonly #owner: HistoryOwner;
  #held: (() => void)[] | undefined = [];
  /** The entry that the stream begins after. */
  #beginsAfter: number | undefined;
  #acknowledgement: { readonly receipt?: Receipt | undefined } | undefined;
  #hasStartedOver = false;

  constructor(owner: HistoryOwner) {
    this.#owner = owner;
  }

  /** Whether deliveries are held back. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** Holds a delivery back. */
  hold(delivery: () => void): void {
    this.#held?.push(delivery);
  }

  /** The stream begins after the entry of that number. */
  begun(seq: number): void {
    this.#beginsAfter = seq;
    this.#decide();
  }

  /** The daemon has accepted the message, or had accepted it before and answered with its receipt. */
  acknowledged(receipt: Receipt | undefined): void {
    this.#acknowledgement = { receipt };
    this.#decide();
  }

  #decide(): void {
    if (this.#acknowledgement === undefined || this.#beginsAfter === undefined) return;
    const { receipt } = this.#acknowledgement;
    // The turn of a message that had not begun when it was acknowledged may have begun before the stream did.
    const mayHaveBegun = receipt !== undefined && (receipt.firstSeq ?? 0) <= this.#beginsAfter;
    if (mayHaveBegun) void this.#read(this.#beginsAfter);
    else this.#release();
  }

  async #read(lastSeq: number): Promise<void> {
    const owner = this.#owner;
    let fromSeq: number | undefined;
    try {
      do {
        const page = await owner.readTurn(fromSeq);
        if (owner.isRunning()) this.#takePage(page, lastSeq);
        fromSeq = page.nextSeq;
        await owner.whenTaken();
      } while (owner.isRunning() && fromSeq !== undefined && fromSeq <= lastSeq);
      this.#release();
    } catch (error) {
      owner.fail(error as Error);
    }
  }

  #takePage({ events, messages, receipt, nextSeq }: GetTurnEventsResult, lastSeq: number): void {
    for (const { seq, notification } of events) {
      if (seq > lastSeq) return;
      this.#startOver();
      this.#owner.takeIn(notification);
    }
    if (messages !== undefined) {
      this.#startOver();
      this.#owner.takeMessages(messages);
    }
    // Of a turn that ended later, the end is among what is held back.
    if (nextSeq === undefined && (receipt.lastSeq ?? 0) <= lastSeq && REASON_OF_STATE.has(receipt.state))
      this.#takeEnd(receipt);
  }

  /** The end that the receipt states, where no event did. */
  #takeEnd({ state, reason = REASON_OF_STATE.get(state), text }: Receipt): void {
    const owner = this.#owner;
    owner.hasEnded();
    if (!owner.isRunning()) return;
    this.#startOver();
    if (text !== undefined) owner.takeAnswer(text);
    owner.takeIn({ type: "agent_turn_completed", turnId: owner.messageId, reason });
  }

  #startOver(): void {
    if (!this.#hasStartedOver) this.#owner.startOver();
    this.#hasStartedOver = true;
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) deliver();
  }
}
