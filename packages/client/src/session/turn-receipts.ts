import { abortReason, type Receipt } from "@daemon-sdk/protocol";

/** The final states of a message that the daemon accepted, with the reason of the turn's end that each stands for. */
export const REASON_OF_STATE: ReadonlyMap<string, string> = new Map([
  ["completed", "completed"],
  ["interrupted", "cancelled"],
  ["failed", "error"],
  ["agent_exited", "agent_exited"],
  ["outcome_unknown", "daemon_restarted"],
]);

/** Waits until a message's turn has ended. A receipt is requested when it may have changed, and not at intervals. */
export class TurnReceipts {
  readonly #get: (messageId: string, signal: AbortSignal | undefined) => Promise<Receipt>;
  readonly #waits = new Map<() => void, string>();

  /** @param get requests a receipt; its rejection ends the wait */
  constructor(get: (messageId: string, signal: AbortSignal | undefined) => Promise<Receipt>) {
    this.#get = get;
  }

  /** The receipt of that message may have changed; without an id, any receipt may have. */
  wake(messageId?: unknown): void {
    for (const [wake, id] of this.#waits) if (messageId === undefined || messageId === id) wake();
  }

  /** Resolves with the final receipt of a message once there is one. */
  async waitFor(messageId: string, signal: AbortSignal | undefined): Promise<Receipt> {
    for (;;) {
      let wake = (): void => {};
      const news = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // Before the request: the turn may end meanwhile.
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
