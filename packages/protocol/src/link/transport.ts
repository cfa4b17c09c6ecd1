/**
 * How a transport ended. `clean` is true when both sides closed politely, after everything accepted was delivered.
 *
 * `code` and `reason` are WebSocket-shaped (see {@link CloseCode}); a transport without codes reports 1000 or 1006.
 */
export interface TransportClose {
  readonly clean: boolean;
  readonly code: number;
  readonly reason: string;
  /** What broke the link, if the transport can determine it. */
  readonly error?: Error;
}

/**
 * A link that carries whole text messages both ways. Third parties write their own; `@daemon-sdk/testing` holds the
 * laws below as cases that run against any of them.
 *
 * - **T1 order**: messages arrive in the order they were sent, each once, whole, whatever their size up to the limit.
 * - **T2 asynchrony**: nothing is delivered inside the caller's stack: not to the peer inside `send`, no `onClose` inside
 *   `close` or `terminate`.
 * - **T3 one end**: `onClose` is called exactly once on each side, whoever closed, and nothing is called after it.
 * - **T4 polite close**: what was accepted before `close` is delivered before the peer sees a clean close.
 * - **T5 cut**: a broken link, or `terminate`, gives an unclean close on the far side.
 * - **T6 dead end**: `send` after the end returns false and does nothing; `close` and `terminate` may be called again.
 * - **T7 back-pressure**: `send` always accepts the message; it returns false when the waiting bytes have reached the
 *   high-water mark. After a false, `onWritable` is called once, when they are below the mark again.
 * - **T8 accounting**: `bufferedBytes` counts what was accepted and has not left this process; it returns to zero.
 * - **T9 nothing early**: messages that arrive before `onMessage` is set are kept, in order, and delivered once it is.
 * - **T10 independence**: a handler that throws stops neither this transport nor later messages; the two directions are
 *   independent of each other.
 * - **T11 bound**: a message over the receiver's limit ends the link with 1009, it is never delivered in part.
 */
export interface Transport {
  /** Bytes accepted by `send` that have not left this process. */
  readonly bufferedBytes: number;
  /** Called with each whole message, in order. Set it once, right after the transport is made. */
  onMessage: ((text: string) => void) | undefined;
  /** Called when more may be sent after `send` returned false. */
  onWritable: (() => void) | undefined;
  /** Called once, with how the link ended. */
  onClose: ((event: TransportClose) => void) | undefined;
  /** Accepts one message. False: wait for `onWritable` before sending more, or the link has ended. */
  send(text: string): boolean;
  /** Ends politely: flushes what was accepted, then closes. `onClose` reports the end. */
  close(code?: number, reason?: string): void;
  /** Ends now: drops the waiting bytes. `onClose` reports the end. */
  terminate(): void;
}

/** {@link Transport} under the name it has in the original SDK. */
export type DroidClientTransport = Transport;

/** Argument of a dial function. */
export interface DialRequest {
  /** Where to connect; a third party's transport may read its own scheme, or ignore it. */
  readonly url: string;
  /** Aborted when the caller gives up. The dial then rejects with the signal's reason and closes what it opened. */
  readonly signal: AbortSignal;
}

/**
 * Makes a connected {@link Transport}, or rejects with a `ConnectionError`.
 *
 * Pass your own as `connectDaemon({ transport })`.
 */
export type Dial = (request: DialRequest) => Promise<Transport>;
