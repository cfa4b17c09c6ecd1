import { LIMITS } from "@daemon-sdk/protocol";

/** What every WebSocket of this package is held to, on either side, in the words of `ws`. */
export function socketBounds(maxMessageBytes: number) {
  return {
    // Deflate costs some 240 KiB a connection, and the session wire is short messages on short paths.
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    maxFragments: LIMITS.webSocketFragments,
    closeTimeout: LIMITS.closeTimeoutMs,
  } as const;
}
