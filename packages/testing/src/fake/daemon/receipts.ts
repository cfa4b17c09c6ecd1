import type { MessageState, Receipt } from "@daemon-sdk/protocol";

/** Receipts of the messages of one session (docs/protocol.md §7). */
export class FakeReceipts {
  readonly #receipts = new Map<string, Receipt>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  accept(messageId: string): void {
    this.#receipts.set(messageId, { messageId, state: "accepted", acceptedAt: this.#now() });
  }

  move(messageId: string, state: MessageState): void {
    const receipt = this.#receipts.get(messageId);
    if (receipt) receipt.state = state;
  }

  /** Sets the number of the turn's first entry. */
  begin(messageId: string, firstSeq: number): void {
    const receipt = this.#receipts.get(messageId);
    if (receipt) receipt.firstSeq = firstSeq;
  }

  /** Sets the number of the turn's last entry. */
  finish(messageId: string, lastSeq: number): void {
    const receipt = this.#receipts.get(messageId);
    if (receipt) Object.assign(receipt, { firstSeq: receipt.firstSeq ?? lastSeq, lastSeq });
  }

  end(messageId: string, reason: string, text?: string): void {
    const receipt = this.#receipts.get(messageId);
    if (!receipt) return;
    const state = FINAL_STATES.get(reason) ?? "failed";
    Object.assign(receipt, { state, reason, endedAt: this.#now() }, text === undefined ? {} : { text });
  }

  /** The turn that an entry belongs to. */
  turnAt(seq: number): string | undefined {
    let best: Receipt | undefined;
    for (const receipt of this.#receipts.values()) {
      const { firstSeq = Number.POSITIVE_INFINITY, lastSeq = Number.POSITIVE_INFINITY } = receipt;
      if (firstSeq <= seq && seq <= lastSeq && firstSeq > (best?.firstSeq ?? 0)) best = receipt;
    }
    return best?.messageId;
  }

  /** Whether no turn of these messages is still to end. */
  haveEnded(messageIds: readonly string[]): boolean {
    return messageIds.every((id) => !this.#receipts.has(id) || this.of(id).lastSeq !== undefined);
  }

  /** The receipt of a message; `unknown` if the message was never received. */
  of(messageId: string): Receipt {
    return { ...(this.#receipts.get(messageId) ?? { messageId, state: "unknown" }) };
  }
}

const FINAL_STATES: ReadonlyMap<string, MessageState> = new Map<string, MessageState>([
  ["completed", "completed"],
  ["cancelled", "interrupted"],
  ["agent_exited", "agent_exited"],
  ["daemon_restarted", "outcome_unknown"],
]);
