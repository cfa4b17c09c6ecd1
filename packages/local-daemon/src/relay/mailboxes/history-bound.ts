import type { Logger } from "@daemon-sdk/protocol";
import type { Committer } from "../../journal/index.js";
import { MAILBOX_LIMITS } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";

const SCOPE = "history";
const NAME = "parts";

/** Options of {@link HistoryBound}. */
export interface HistoryBoundOptions {
  readonly store: Pick<Store, "mailboxSegments" | "relayFacts">;
  readonly committer: Committer;
  readonly maxBytes: number;
  readonly logger: Logger;
}

/**
 * Bounds the bytes of the acknowledged messages of all mailboxes. What is written is counted in parts; with each new part the
 * acknowledged messages that are as old as the oldest part are dropped.
 */
export class HistoryBound {
  readonly #options: HistoryBoundOptions;
  /** The newest row of each part, oldest first. */
  #parts: number[] = [];
  #bytes = 0;

  constructor(options: HistoryBoundOptions) {
    this.#options = options;
  }

  /** Reads what an earlier daemon stored. Rejects when the store fails. */
  async load(): Promise<void> {
    for (const [name, body] of await this.#options.store.relayFacts(SCOPE)) {
      if (name === NAME) this.#parts = JSON.parse(body) as number[];
    }
  }

  /** Messages were stored. */
  written(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#options.maxBytes / MAILBOX_LIMITS.historyParts) return;
    this.#bytes = 0;
    this.#endPart().catch((error: unknown) => {
      this.#options.logger.error({ error: String(error) }, "old messages could not be dropped");
    });
  }

  async #endPart(): Promise<void> {
    const { store, committer } = this.#options;
    const [newest] = await store.mailboxSegments({ order: "desc", limit: 1 });
    if (newest === undefined) return;
    this.#parts.push(newest.no);
    const over = this.#parts.splice(0, Math.max(0, this.#parts.length - MAILBOX_LIMITS.historyParts));
    const throughNo = over.at(-1);
    await committer.commit([
      { kind: "relayFact", scope: SCOPE, name: NAME, body: JSON.stringify(this.#parts) },
      ...(throughNo === undefined ? [] : [{ kind: "pruneHistory", throughNo } as const]),
    ]);
  }
}
