import { ConnectionError } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";

/** A connection whose peer may not read. */
export interface UnreadConnection {
  /** Bytes that have not left this process. */
  readonly bufferedBytes: number;
  /** Ends it at once. */
  cut(error: ConnectionError): void;
}

/** How often the connections are looked at: after so much of the bound was sent. */
const LOOK_SHARE = 1 / 8;

/**
 * Bounds what all connections of one key together have not read. Past it, the one with most unread bytes is cut. A connection that
 * alone has unread bytes has the bound of every connection (`WriteQueue`).
 */
export class UnreadRoom {
  readonly #connections: Iterable<UnreadConnection>;
  readonly #most: number;
  #sinceLook = 0;

  /** @param connections all of the key, also those that come later */
  constructor(connections: Iterable<UnreadConnection>, most: number = SERVING_LIMITS.unreadBytesPerKey) {
    this.#connections = connections;
    this.#most = most;
  }

  /** So much was sent to one of them. */
  noteSent(units: number): void {
    this.#sinceLook += units;
    if (this.#sinceLook < this.#most * LOOK_SHARE) return;
    this.#sinceLook = 0;
    this.#look();
  }

  #look(): void {
    const unread = [...this.#connections].filter(({ bufferedBytes }) => bufferedBytes > 0);
    let bytes = unread.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
    unread.sort((one, other) => other.bufferedBytes - one.bufferedBytes);
    while (bytes > this.#most && unread.length > 1) {
      const [fullest] = unread.splice(0, 1);
      if (fullest === undefined) return;
      const before = bytes;
      bytes -= fullest.bufferedBytes;
      fullest.cut(slowConsumer(before, this.#most));
    }
  }
}

function slowConsumer(bytes: number, most: number): ConnectionError {
  const text = `The peer reads too slowly: ${bytes} bytes wait for the connections of this key, ${most} may (unreadBytesPerKey), and most of them for this one.`;
  return new ConnectionError("SLOW_CONSUMER", text);
}
