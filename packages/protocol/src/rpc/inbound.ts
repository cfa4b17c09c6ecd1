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

/** Result of an `onRequest` handler that does not answer now. `respond` may answer later. */
export const NO_ANSWER: unique symbol = Symbol("daemon-sdk.no-answer");
