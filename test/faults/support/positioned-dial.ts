import type { DaemonSession } from "@daemon-sdk/client";
import {
  comparePositions,
  type Dial,
  isPosition,
  type Position,
  type SessionNotification,
  type Transport,
} from "@daemon-sdk/protocol";
import type { Ledger } from "@daemon-sdk/testing";
import { dialWebSocket } from "@daemon-sdk/transport-ws";

/** A message that passed a {@link PositionedDial}, and how large its WebSocket frame was. */
export interface PassedMessage {
  readonly isSent: boolean;
  readonly frameBytes: number;
  readonly method: string | undefined;
  readonly text: string;
}

/**
 * Dials as the client does, and knows which entry of a journal the client is being given: the client hands a notification to its
 * listeners in the tick in which its message came, so what a listener is told stands at {@link position}.
 */
export class PositionedDial {
  /** Of the message that is being taken; undefined when it is no entry. Of a batch: that of its first entry. */
  position: Position | undefined;
  /** The entries of the batch that is being taken, as JSON, and how many of them were given to a listener or passed over. */
  #batch: { readonly entries: readonly string[]; taken: number } | undefined;
  /** Called with every message of either direction. */
  onMessage: ((message: PassedMessage) => void) | undefined;

  readonly #onRequest = new Map<unknown, (position: Position, method: string) => void>();

  readonly dial: Dial = async ({ url, signal }) => {
    const inner = await dialWebSocket(url, { signal });
    const outer: Transport = {
      get bufferedBytes() {
        return inner.bufferedBytes;
      },
      onMessage: undefined,
      onWritable: undefined,
      onClose: undefined,
      send: (text) => {
        this.onMessage?.(passed(text, true));
        return inner.send(text);
      },
      close: (code, reason) => inner.close(code, reason),
      terminate: () => inner.terminate(),
    };
    inner.onMessage = (text) => this.#take(text, (taken) => outer.onMessage?.(taken));
    inner.onWritable = () => outer.onWritable?.();
    inner.onClose = (event) => outer.onClose?.(event);
    return outer;
  };

  /**
   * Writes down in the ledger what a listener of this session is given, under that client's name; and the daemon's requests when
   * they come, for a client that has answered one does not ask its handler again.
   */
  follow(session: DaemonSession, ledger: Ledger, client: string): void {
    const { sessionId } = session;
    const account = ledger.client(client);
    session.onNotification((notification) => account.took(sessionId, this.#positionOf(notification), notification));
    let last: Position | undefined;
    this.#onRequest.set(sessionId, (position, type) => {
      // Whoever was cut off before the entry after it gets it again, and asks nobody.
      if (last !== undefined && comparePositions(position, last) <= 0) return;
      last = position;
      account.took(sessionId, position, { type });
    });
  }

  #take(text: string, give: (text: string) => void): void {
    this.onMessage?.(passed(text, false));
    const { _meta: meta, type, method = "", params } = JSON.parse(text) as Entry;
    this.position = isPosition(meta) ? meta : undefined;
    const entries = params?.notifications?.map((entry) => JSON.stringify(entry));
    this.#batch = entries && { entries, taken: 0 };
    const isInPlace = this.position !== undefined && meta?.early !== true;
    if (type === "request" && isInPlace) this.#onRequest.get(params?.sessionId)?.(this.position as Position, method);
    give(text);
    this.position = undefined;
    this.#batch = undefined;
  }

  /** The entries of a batch are given in their order, without those that the client has already. */
  #positionOf(notification: SessionNotification): Position | undefined {
    if (this.position === undefined || this.#batch === undefined) return this.position;
    const { entries, taken } = this.#batch;
    const at = entries.indexOf(JSON.stringify(notification), taken);
    if (at === -1) return undefined;
    this.#batch.taken = at + 1;
    return { ...this.position, seq: this.position.seq + at };
  }
}

interface Entry {
  readonly _meta?: Position & { readonly early?: boolean };
  readonly type?: string;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string; readonly notifications?: readonly object[] };
}

/** RFC 6455 §5.2: two bytes, two more from 126 bytes on, and four of mask from the client. */
function passed(text: string, isSent: boolean): PassedMessage {
  const bytes = Buffer.byteLength(text);
  const header = bytes < 126 ? 2 : 4;
  const method = (JSON.parse(text) as { method?: string }).method;
  return { isSent, frameBytes: bytes + header + (isSent ? 4 : 0), method, text };
}
