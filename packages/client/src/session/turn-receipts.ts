import { abortReason, type Receipt } from "@daemon-sdk/protocol";

/** The final states of a message that the daemon took, with the reason of the turn's end that each stands for. */
export const REASON_OF_STATE: ReadonlyMap<string, string> = new Map([
  ["completed", "completed"],
  ["interrupted", "cancelled"],
  ["failed", "error"],
  ["agent_exited", "agent_exited"],
  ["outcome_unknown", "daemon_restarted"],
]);

/** Waits until a message's turn is over. The daemon is asked when there is news, not again and again. */
export class TurnReceipts {
  readonly #get: (messageId: string, signal: AbortSignal | undefined) => Promise<Receipt>;
  readonly #waits = new Map<() => void, string>();

  /** @param get asks the daemon; its rejection ends the wait */
  constructor(get: (messageId: string, signal: AbortSignal | undefined) => Promise<Receipt>) {
    this.#get = get;
  }

  /** There is news of that message; without an id, there may be of any. */
  wake(messageId?: unknown): void {
    for (const [wake, id] of this.#waits) if (messageId === undefined || messageId === id) wake();
  }

  /** The final receipt, as soon as there is one. */
  async waitFor(messageId: string, signal: AbortSignal | undefined): Promise<Receipt> {
    for (;;) {
      let wake = (): void => {};
      const news = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // Before asking: the turn may end meanwhile.
      this.#waits.set(wake, messageId);
      signal?.addEventListener("abort", wake);
      try {
        const receipt = await this.#get(messageId, signal);
        if (receipt.state === "unknown" || REASON_OF_STATE.has(receipt.state)) return receipt;
        await news;
        if (signal?.aborted === true) throw abortReason(signal);
      } finally {
        this.#waits.delete(wake);
        signal?.removeEventListener("abort", wake);
      }
    }
  }
}
