import type { WebSocketTransportOptions } from "./web-socket-transport.js";

/** Options of `dialWebSocket`. */
export interface DialWebSocketOptions extends WebSocketTransportOptions {
  /** Gives up; the dial rejects with the signal's reason and nothing stays open. */
  readonly signal?: AbortSignal;
  /** Time for this one attempt, from name look-up to the open socket; default 10 000. */
  readonly timeoutMs?: number;
  /** Largest message taken; a larger one ends the link with 1009. Default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
  /** Headers of the upgrade request. Node only: a page cannot set any. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Looks at the headers (lower-case names) of the 101 response before a byte is sent or read. To throw is to refuse: the
   * dial rejects with that error, the socket is destroyed, and what came along with the 101 is dropped. Node only.
   */
  readonly onUpgrade?: (headers: ReadonlyMap<string, string>) => void;
}

/** Options of `dialBytes`; those of the same name in {@link DialWebSocketOptions} mean the same. */
export type DialBytesOptions = Pick<
  DialWebSocketOptions,
  "signal" | "timeoutMs" | "maxMessageBytes" | "headers" | "onUpgrade"
>;
