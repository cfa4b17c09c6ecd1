import type { WebSocketTransportOptions } from "./web-socket-transport.js";

/** Options of `dialWebSocket`. */
export interface DialWebSocketOptions extends WebSocketTransportOptions {
  /** Aborts the dial, which rejects with the signal's reason and closes its socket. */
  readonly signal?: AbortSignal;
  /** Time for this one attempt, from name look-up to the open socket; default 10 000. */
  readonly timeoutMs?: number;
  /** Largest accepted message; a larger one ends the link with 1009. Default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
  /** Headers of the upgrade request. Node only: a page cannot set any. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates of authorities in PEM that are trusted for `wss:` in place of the usual ones. Node only: a page has its browser's. */
  readonly ca?: string | readonly string[];
  /**
   * Checks the headers (lower-case names) of the 101 response before a byte is sent or read. If it throws, the dial rejects
   * with that error, the socket is destroyed, and data received with the 101 is dropped. Node only.
   */
  readonly onUpgrade?: (headers: ReadonlyMap<string, string>) => void;
}

/** Options of `dialBytes`; those of the same name in {@link DialWebSocketOptions} mean the same. */
export type DialBytesOptions = Pick<
  DialWebSocketOptions,
  "signal" | "timeoutMs" | "maxMessageBytes" | "headers" | "ca" | "onUpgrade"
>;
