import { MessageBridge, type SessionNotification, SessionState } from "@daemon-sdk/protocol";
import type { BridgedEvent, ResultEvent } from "./events.js";
import { ResultCollector } from "./result-collector.js";

/** Options of {@link FollowedTurn}. */
export interface FollowedTurnOptions {
  readonly sessionId: string;
  readonly turnId: string;
  readonly includePartialMessages: boolean;
  /** Reads the answer of the turn, which has ended. */
  readAnswer(turnId: string): Promise<string | undefined>;
}

/** The entries of one turn, and the events that are made of them. */
export class FollowedTurn {
  readonly turnId: string;
  readonly #options: FollowedTurnOptions;
  readonly #bridge: MessageBridge;
  readonly #state = new SessionState({ turns: true });
  readonly #collector: ResultCollector;

  constructor(options: FollowedTurnOptions) {
    const { sessionId, turnId, includePartialMessages } = options;
    this.turnId = turnId;
    this.#options = options;
    this.#bridge = new MessageBridge({ includePartialMessages });
    this.#collector = new ResultCollector(this.#state.expect({ messageId: turnId }), { sessionId });
  }

  /** Takes an entry from before those that are followed: what later events mean depends on it. */
  recall(notification: SessionNotification): void {
    this.#observe(notification);
  }

  /** The events of an entry; those of the entry that ends the turn have the result last, and come later. */
  take(notification: SessionNotification): BridgedEvent[] | Promise<(BridgedEvent | ResultEvent)[]> {
    const { events, hasEnded } = this.#observe(notification);
    return hasEnded ? this.#withResult(events) : events;
  }

  async #withResult(events: BridgedEvent[]): Promise<(BridgedEvent | ResultEvent)[]> {
    // The daemon may no longer have the beginning of the turn, and the answer may lie there.
    if (!this.#bridge.hasSeen(this.turnId)) {
      const answer = await this.#options.readAnswer(this.turnId);
      if (answer !== undefined) this.#collector.noteAnswer(answer);
    }
    return [...events, await this.#collector.result()];
  }

  #observe(notification: SessionNotification): { readonly events: BridgedEvent[]; readonly hasEnded: boolean } {
    const events = this.#bridge.push(notification);
    this.#state.apply(notification);
    return { events, hasEnded: this.#collector.observe(notification, events) };
  }
}
