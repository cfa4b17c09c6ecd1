import type { Logger } from "@daemon-sdk/protocol";
import { RELAY_LIMITS } from "../../limits/index.js";
import { type ShadowTable, shadowCopies } from "../groups/index.js";
import type { Mailboxes, Post } from "../mailboxes/index.js";
import { failurePost } from "./worker-messages.js";

/** Options of {@link AnswerPosts}. */
export interface AnswerPostsOptions {
  readonly mailboxes: Mailboxes;
  readonly shadows: ShadowTable;
  readonly logger: Logger;
}

/** A worker's answers on their way into mailboxes. One that finds its mailbox full is posted again later. */
export class AnswerPosts {
  readonly #options: AnswerPostsOptions;
  readonly #retries = new Set<NodeJS.Timeout>();

  constructor(options: AnswerPostsOptions) {
    this.#options = options;
  }

  /** Posts an answer. When its recipient cannot have it, such as one that is too large, a notice is posted in its place. */
  post(answer: Post, isFailure = false): void {
    const { mailboxes, shadows, logger } = this.#options;
    void mailboxes.post([answer, ...shadowCopies(shadows, answer)]).then(([outcome]) => {
      if (outcome?.state !== "refused") return;
      const { code, message, retryAfterMs = RELAY_LIMITS.relayHeartbeatMs } = outcome;
      if (code === "BUSY") return this.#postLater(answer, retryAfterMs);
      logger.warn({ agent: answer.from, to: answer.to, code }, `A worker's answer was lost: ${message}`);
      if (code === "BAD_REQUEST" && !isFailure) this.post(failurePost(answer, message), true);
    });
  }

  /** Ends the retries. Returns how many answers are lost by that. */
  close(): number {
    for (const timer of this.#retries) clearTimeout(timer);
    return this.#retries.size;
  }

  #postLater(answer: Post, afterMs: number): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.post(answer);
    }, afterMs);
    this.#retries.add(timer);
  }
}
