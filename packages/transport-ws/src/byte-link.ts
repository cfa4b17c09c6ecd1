/** What a {@link ByteLink} tells its owner. Never called inside a call of the owner's. */
export interface ByteLinkEvents {
  /** The next bytes of the stream, in whatever pieces they came. The chunk may be used again once this returns. */
  onBytes(chunk: Uint8Array): void;
  /** The link is gone; nothing follows. `error` is absent when the peer ended it politely. */
  onEnded(error?: Error): void;
}

/**
 * One open connection that carries a stream of bytes both ways, such as the frames of the relay wire: a WebSocket with
 * binary messages, whose borders mean nothing, or a socket.
 */
export interface ByteLink {
  /** Bytes taken by `send` that have not left this process. */
  readonly bufferedBytes: number;
  /** Starts the flow of events. Call it once, in the tick in which the link was handed out. */
  start(events: ByteLinkEvents): void;
  /**
   * Takes the bytes. They must stay as they are until `onFlushed` is called, which is when they have left this process; it is
   * never called inside `send`, and not at all when the link ends first.
   */
  send(bytes: Uint8Array, onFlushed?: () => void): void;
  /** Ends politely, behind what was sent. */
  end(): void;
  /** Ends now. */
  destroy(): void;
}
