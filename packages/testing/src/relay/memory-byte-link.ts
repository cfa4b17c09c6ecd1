/** Callbacks of a link to its owner; the same as `ByteLinkEvents` of `@daemon-sdk/transport-ws`. */
export interface MemoryByteLinkEvents {
  onBytes(chunk: Uint8Array): void;
  onEnded(error?: Error): void;
}

/** The other side of a {@link MemoryByteLink}. */
export interface MemoryByteLinkPeer {
  onBytes(chunk: Uint8Array): void;
  onEnd(): void;
}

/**
 * A client's end of a byte stream in memory, of the type that `RelayClient` dials. No callback runs inside the caller's
 * stack. Bytes are copied; `onFlushed` reports when the caller may reuse its buffer.
 */
export class MemoryByteLink {
  readonly bufferedBytes = 0;
  readonly #peer: MemoryByteLinkPeer;
  readonly #early: Uint8Array[] = [];
  #events: MemoryByteLinkEvents | undefined;
  #isOver = false;

  constructor(peer: MemoryByteLinkPeer) {
    this.#peer = peer;
  }

  start(events: MemoryByteLinkEvents): void {
    this.#events = events;
    for (const chunk of this.#early.splice(0)) this.push(chunk);
  }

  send(bytes: Uint8Array, onFlushed?: () => void): void {
    const copy = bytes.slice();
    queueMicrotask(() => {
      if (this.#isOver) return;
      onFlushed?.();
      this.#peer.onBytes(copy);
    });
  }

  end(): void {
    queueMicrotask(() => this.over());
  }

  destroy(): void {
    this.end();
  }

  /** Delivers bytes from the peer. */
  push(chunk: Uint8Array): void {
    if (!this.#events) this.#early.push(chunk);
    else queueMicrotask(() => this.#isOver || this.#events?.onBytes(chunk));
  }

  /** Ends the link on both sides; with an error unless a side requested the end. */
  over(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#peer.onEnd();
    queueMicrotask(() => this.#events?.onEnded(error));
  }
}
