/** Callbacks of a {@link ByteLink}. Never called inside a call of its owner. */
export interface ByteLinkEvents {
  /** Called with the next bytes of the stream. The chunk is reused after the callback returns. */
  onBytes(chunk: Uint8Array): void;
  /** Called last, when the link has ended. `error` is absent after a polite end by the peer. */
  onEnded(error?: Error): void;
}

/**
 * One open connection that carries a stream of bytes both ways, such as the frames of the relay wire: a WebSocket with
 * binary messages, whose borders are ignored, or a socket.
 */
export interface ByteLink {
  /** Bytes accepted by `send` that have not left this process. */
  readonly bufferedBytes: number;
  /** Starts the callbacks. Call it once, in the tick in which the link was returned. */
  start(events: ByteLinkEvents): void;
  /**
   * Sends bytes. Do not change them until `onFlushed` is called, when they have left this process. `onFlushed` is never called
   * inside `send`, and not at all when the link ends first.
   */
  send(bytes: Uint8Array, onFlushed?: () => void): void;
  /** Stops or restarts reading, where the platform can: what was read already may still come. */
  setPaused?(isPaused: boolean): void;
  /** Ends politely, after the sent bytes. */
  end(): void;
  /** Ends now. */
  destroy(): void;
}
