import { LIMITS } from "@daemon-sdk/protocol";

/** Options of `ws` with the bounds of every WebSocket of this package, on both sides. */
export function socketBounds(maxMessageBytes: number) {
  return {
    // Deflate costs about 240 KiB per connection, and gains little for short messages on short paths.
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    maxFragments: LIMITS.webSocketFragments,
    closeTimeout: LIMITS.closeTimeoutMs,
  } as const;
}
