import type { DaemonError } from "@daemon-sdk/protocol";
import type { RelayWrite } from "../../storage/index.js";

/** One mailbox whose rows are to be dropped. */
interface Removal {
  readonly address: string;
  settle(error: DaemonError | undefined): void;
}

/** What one transaction drops. */
export interface TakenRemovals {
  readonly writes: readonly RelayWrite[];
  /** The transaction has ended. */
  settle(error: DaemonError | undefined): void;
}

/**
 * Mailboxes that are to be dropped. They are dropped at the beginning of the transaction of the mailboxes: one of the same address that
 * was made since is stored after it, and keeps its messages.
 */
export class MailboxRemovals {
  #removals: Removal[] = [];

  /** Resolves when the rows are gone. Rejects when the store fails. */
  add(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: DaemonError | undefined) => (error === undefined ? resolve() : reject(error));
      this.#removals.push({ address, settle });
    });
  }

  /** What the next transaction drops. */
  take(): TakenRemovals {
    const removals = this.#removals;
    this.#removals = [];
    return {
      writes: removals.map(({ address }) => ({ kind: "dropMailbox", address })),
      settle: (error) => {
        for (const { settle } of removals) settle(error);
      },
    };
  }
}
