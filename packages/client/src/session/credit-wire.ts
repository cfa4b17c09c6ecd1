import { ConnectionError, type Credit, type FollowSessionResult, METHODS } from "@daemon-sdk/protocol";
import type { ConnectionCalls } from "../connection/index.js";
import type { CreditWire } from "./session-credit.js";

/** The session whose credit {@link CreditCalls} sends. */
export interface CreditCallsHost {
  readonly calls: ConnectionCalls;
  readonly isConnected: boolean;
  readonly sessionId: string | undefined;
  /** Whether the daemon offers `batches`. */
  readonly offersBatches: boolean;
  /** The daemon refuses to send events. */
  onCreditRefused(error: Error): void;
  /** In-order events continue at another position: that of `result`, or on a new link the last position received. */
  onBegin(result?: FollowSessionResult): void;
}

/** Sends one session's credit over a connection. */
export class CreditCalls implements CreditWire {
  readonly #host: CreditCallsHost;

  constructor(host: CreditCallsHost) {
    this.#host = host;
  }

  get takesBatches(): boolean {
    return this.#host.offersBatches;
  }

  follow(credit: Credit, onResult: (result: FollowSessionResult) => void): boolean {
    // Not through `calls`, which wait for a link and repeat what was lost: on a new link the session is resumed with its
    // credit.
    const { engine } = this.#host.calls;
    const sessionId = this.#sessionId;
    if (sessionId === undefined || engine === undefined) return false;
    const options = { onResult: (result: unknown) => onResult(result as FollowSessionResult) };
    engine.request(METHODS.followSession, { sessionId, credit }, options).catch((error: Error) => {
      if (!ConnectionError.is(error) && this.#sessionId !== undefined) this.#host.onCreditRefused(error);
    });
    return true;
  }

  grant(credit: Credit): void {
    const sessionId = this.#sessionId;
    if (sessionId !== undefined) this.#host.calls.notify("grant_credit", { sessionId, ...credit });
  }

  onBegin(result?: FollowSessionResult): void {
    this.#host.onBegin(result);
  }

  /** Undefined while there is no session. */
  get #sessionId(): string | undefined {
    return this.#host.isConnected ? this.#host.sessionId : undefined;
  }
}
