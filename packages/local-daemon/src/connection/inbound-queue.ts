import { SERVING_LIMITS } from "../limits/index.js";
import type { LoopDebt } from "./loop-debt.js";
import type { LoopShare } from "./loop-shares.js";

/** Options of {@link InboundQueue}. */
export interface InboundQueueOptions<Message> {
  /** Acts on one message. Never throws. */
  handle(message: Message): void;
  /** What to keep of a message that waits; default: the message, which nobody changes. */
  keep?(message: Message): Message;
  /** Stops or restarts reading from the link, where the link can. */
  setPaused(isPaused: boolean): void;
}

/** Who asks that a link is not read. */
export type PauseReason = "queue" | "large message" | "unread answers" | "spent share";

/**
 * The messages of one connection that wait for its sender's share of the loop, in order. While more than
 * `SERVING_LIMITS.inboundMessages` or `inboundUnits` wait, the link is not read.
 */
export class InboundQueue<Message extends { readonly length: number }> {
  readonly #options: InboundQueueOptions<Message>;
  #share: LoopShare | undefined;
  #debt: LoopDebt | undefined;
  #messages: Message[] = [];
  #next = 0;
  #units = 0;
  readonly #reasons = new Set<PauseReason>();
  #isReleased = false;
  #onEmpty: (() => void) | undefined;

  /** @param share what its messages count to; without one each is handled as it comes */
  constructor(share: LoopShare | undefined, options: InboundQueueOptions<Message>) {
    this.#share = share;
    this.#options = options;
  }

  /**
   * Counts later messages to another share. Messages that wait stay in their place.
   *
   * @param debt what this connection owes by itself, where those of one share do not answer for one another; default: nothing
   */
  use(share: LoopShare, debt?: LoopDebt): void {
    this.#share = share;
    this.#debt = debt;
  }

  /** Whether messages wait, or would wait in the link: its silence is not its peer's. */
  get isHeldBack(): boolean {
    return !this.#isEmpty || this.#reasons.size > 0;
  }

  /** Handles a message now, or when its turn has come. */
  receive(message: Message): void {
    const share = this.#share;
    const wasEmpty = this.#isEmpty;
    if (share === undefined) this.#options.handle(message);
    else if (wasEmpty && !share.isSpent && this.#debt?.isLarge !== true) this.#run(share, message);
    else {
      this.#messages.push(this.#options.keep?.(message) ?? message);
      this.#units += message.length;
      this.#checkPause();
      if (wasEmpty) this.#wait(share);
    }
  }

  /**
   * Takes a part of a large message, which is counted to the share and does not wait for it. Once the share is used up, the link is not
   * read before its next turn: in one turn of the loop a socket gives up to 32 parts.
   */
  takePart(work: () => void): void {
    const share = this.#share;
    if (share === undefined) {
      work();
      return;
    }
    share.charge(work);
    if (!share.isSpent || this.#reasons.has("spent share")) return;
    this.setPaused("spent share", true);
    share.wait(() => {
      this.setPaused("spent share", false);
      return false;
    });
  }

  /** Calls once, now or when every message that waits was handled. */
  onceEmpty(callback: () => void): void {
    if (this.#isEmpty) callback();
    else this.#onEmpty = callback;
  }

  /** Reads the link, however much waits: the end of the link has to be seen. */
  release(): void {
    this.#isReleased = true;
    if (this.#reasons.size > 0) this.#options.setPaused(false);
  }

  /** Stops reading the link for that reason, or does not any more. It is read while there is none. */
  setPaused(reason: PauseReason, isPaused: boolean): void {
    const before = this.#reasons.size;
    if (isPaused) this.#reasons.add(reason);
    else this.#reasons.delete(reason);
    if (this.#isReleased || before === this.#reasons.size || before + this.#reasons.size > 1) return;
    this.#options.setPaused(isPaused);
  }

  get #isEmpty(): boolean {
    return this.#next >= this.#messages.length;
  }

  #run(share: LoopShare, message: Message): void {
    const since = performance.now();
    share.run(() => this.#options.handle(message));
    this.#debt?.add(performance.now() - since);
  }

  /** Waits for a turn of the share, and before that until the connection owes little. */
  #wait(share: LoopShare): void {
    if (this.#debt?.isLarge === true) this.#debt.oncePaid(() => share.wait(() => this.#step()));
    else share.wait(() => this.#step());
  }

  /** Handles one message. False when none is left, or when the rest waits for something else. */
  #step(): boolean {
    const share = this.#share;
    const message = this.#messages[this.#next++];
    if (share === undefined || message === undefined) return false;
    this.#units -= message.length;
    this.#run(share, message);
    this.#checkPause();
    if (!this.#isEmpty) {
      if (this.#debt?.isLarge !== true) return true;
      this.#wait(share);
      return false;
    }
    this.#messages = [];
    this.#next = 0;
    this.#onEmpty?.();
    return false;
  }

  #checkPause(): void {
    const { inboundMessages, inboundUnits } = SERVING_LIMITS;
    const count = this.#messages.length - this.#next;
    if (count > inboundMessages || this.#units > inboundUnits) this.setPaused("queue", true);
    else if (count <= inboundMessages / 2 && this.#units <= inboundUnits / 2) this.setPaused("queue", false);
  }
}
