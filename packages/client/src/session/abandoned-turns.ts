/** Turns whose stream was abandoned before their end. Each runs until the daemon has interrupted it. */
export class AbandonedTurns {
  readonly #messageIds = new Set<string>();
  #waiters: (() => void)[] = [];

  /** Whether every abandoned turn has ended. */
  get isEmpty(): boolean {
    return this.#messageIds.size === 0;
  }

  /** The stream of that turn was abandoned. */
  add(messageId: string): void {
    this.#messageIds.add(messageId);
  }

  /** These turns have ended, or are not tracked any more. */
  settle(turns: readonly { readonly messageId: string }[]): void {
    for (const { messageId } of turns) {
      if (!this.#messageIds.delete(messageId) || !this.isEmpty) continue;
      for (const resolve of this.#waiters.splice(0)) resolve();
    }
  }

  /** Resolves when all abandoned turns have ended, or after `maxMs`: an agent may ignore an interrupt. */
  whenEmpty(maxMs: number): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, maxMs);
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
