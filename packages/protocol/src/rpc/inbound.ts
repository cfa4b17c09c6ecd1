import type { EnvelopeMeta } from "../session/index.js";

/** A notification from the peer. `method` is without its prefix. */
export interface InboundNotification {
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly meta: EnvelopeMeta | undefined;
  /** The whole received message, for counting its bytes. Do not keep it. */
  readonly frame: string;
}

/** A request from the peer. `method` is without its prefix. */
export interface InboundRequest {
  readonly id: string;
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly meta: EnvelopeMeta | undefined;
}

declare const noAnswer: unique symbol;

/** Type of {@link NO_ANSWER}. Not that of a symbol of its own, which an `async` function would widen to `symbol`. */
export interface NoAnswer {
  /** Type only. */
  readonly [noAnswer]: true;
}

/** Result of an `onRequest` handler that does not answer now. `respond` may answer later. */
export const NO_ANSWER: NoAnswer = Symbol.for("daemon-sdk.no-answer") as unknown as NoAnswer;
