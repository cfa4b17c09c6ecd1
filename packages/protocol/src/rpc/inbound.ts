import type { EnvelopeMeta } from "../session/index.js";

/** Something the peer told. `method` is without its prefix. */
export interface InboundNotification {
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly meta: EnvelopeMeta | undefined;
  /** The whole message as it came, for whoever counts its bytes; not there to be kept. */
  readonly frame: string;
}

/** Something the peer asks. `method` is without its prefix. */
export interface InboundRequest {
  readonly id: string;
  readonly method: string;
  readonly params: Record<string, unknown>;
  readonly meta: EnvelopeMeta | undefined;
}

/** What an `onRequest` handler returns to leave a request without an answer for now; `respond` may follow. */
export const NO_ANSWER: unique symbol = Symbol("daemon-sdk.no-answer");
