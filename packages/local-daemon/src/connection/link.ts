import type { Transport } from "@daemon-sdk/protocol";
import type { LargeMessage } from "@daemon-sdk/transport-ws";

/**
 * The transport of a connection. Whole texts go out. Texts come in on the session wire, chunks of bytes on the relay's. Every
 * `Transport` is a link of texts, and its laws T2 to T10 hold for all links.
 */
export interface Link<Inbound> extends Omit<Transport, "onMessage"> {
  /** Called with each message or chunk, in order. Set it once, right after the link is made. */
  onMessage: ((message: Inbound) => void) | undefined;
  /** Takes a large message in parts, where the link can; see `WebSocketTransport`. */
  onLargeMessage?: (() => LargeMessage) | undefined;
  /** Stops or restarts reading, where the link can: what it has read already may still come. */
  setPaused?(isPaused: boolean): void;
}
