import type { WebSocketTransportOptions } from "./web-socket-transport.js";

/** An `http.Agent` of Node, or an `https.Agent`, by what is used of it: no declarations of Node are needed to name it. */
export interface HttpAgent {
  readonly maxSockets: number;
  destroy(): void;
}

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
  readonly ca?: string | readonly string[] | undefined;
  /**
   * Opens the socket: an `https.Agent` for `wss:`, an `http.Agent` for `ws:`; for a proxy, certificates or addresses of your own. Without
   * effect for `ws+unix:`. Node only.
   *
   * Default for `wss:`: the proxy of `HTTPS_PROXY` or `ALL_PROXY`, except for this machine and the hosts of `NO_PROXY`. It needs the
   * package `https-proxy-agent`.
   */
  readonly agent?: HttpAgent | undefined;
  /**
   * Checks the headers (lower-case names) of the 101 response before a byte is sent or read. If it throws, the dial rejects
   * with that error, the socket is destroyed, and data received with the 101 is dropped. Node only.
   */
  readonly onUpgrade?: (headers: ReadonlyMap<string, string>) => void;
}

/** Options of `dialBytes`; those of the same name in {@link DialWebSocketOptions} mean the same. */
export type DialBytesOptions = Pick<
  DialWebSocketOptions,
  "signal" | "timeoutMs" | "maxMessageBytes" | "headers" | "agent" | "ca" | "onUpgrade"
>;
