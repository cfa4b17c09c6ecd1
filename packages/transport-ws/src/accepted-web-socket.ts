import { type Logger, silentLogger } from "@daemon-sdk/protocol";
import type { LargeMessage } from "./frames/index.js";
import type { SocketLink } from "./socket-link.js";
import { WebSocketTransport, type WebSocketTransportOptions } from "./web-socket-transport.js";

/** A link that can take large messages in parts. Names no type of `ws`, whose declarations a user need not have. */
interface LargeMessageLink extends SocketLink {
  /** Called when a large message begins. Undefined: it becomes one text. */
  onLarge: (() => LargeMessage | undefined) | undefined;
}

/** A WebSocket that a server accepted: one that can take large messages in parts. Made by `acceptWebSocket`. */
export class AcceptedWebSocket extends WebSocketTransport {
  /**
   * Takes a message longer than `LIMITS.largeMessageBytes` in parts, in its place among the others; called when such a message
   * begins. Unset: it is handed to `onMessage` as a whole.
   */
  onLargeMessage: (() => LargeMessage) | undefined;
  readonly #logger: Logger;
  #isDropped = false;

  /** @internal Use `acceptWebSocket`. */
  constructor(link: LargeMessageLink, options: WebSocketTransportOptions = {}) {
    super(link, options);
    this.#logger = options.logger ?? silentLogger;
    link.onLarge = () => this.#take();
  }

  override terminate(): void {
    this.#isDropped = true;
    super.terminate();
  }

  #take(): LargeMessage | undefined {
    // What waits came before it.
    if (this.isHolding || this.onLargeMessage === undefined) return undefined;
    const message = this.onLargeMessage();
    return {
      push: (part) => this.#guarded(() => message.push(part)),
      end: () => this.#guarded(() => message.end()),
    };
  }

  /** As for every handler of a transport: its exception affects neither the socket nor the next message (T10). */
  #guarded(work: () => void): void {
    if (this.#isDropped) return;
    try {
      work();
    } catch (error) {
      this.#logger.error(
        { error, handler: "onLargeMessage" },
        "A handler of a transport threw; the transport goes on.",
      );
    }
  }
}
