import { validateHeaderName, validateHeaderValue } from "node:http";
import { InvalidOptionError, LIMITS } from "@daemon-sdk/protocol";

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

/** Refuses a header that HTTP does not allow. A value with a line break could inject other headers. */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new InvalidOptionError(`headers.${name}`, "a valid HTTP header");
    }
  }
}
