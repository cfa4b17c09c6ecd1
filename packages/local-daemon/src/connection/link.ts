import type { Transport } from "@daemon-sdk/protocol";

/**
 * What a connection runs on: whole texts go out; what comes in is the link's own, texts on the session wire, chunks of
 * bytes on the relay's. Every `Transport` is a link of texts, and its laws T2 to T10 hold for all of them.
 */
export interface Link<Inbound> extends Omit<Transport, "onMessage"> {
  /** Called with what comes in, in order. Set it once, right after the link is made. */
  onMessage: ((message: Inbound) => void) | undefined;
}
