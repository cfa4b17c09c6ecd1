import type { Envelope, ErrorCode, HelloPayload } from "@daemon-sdk/protocol/relay";

/** What an ERROR says beside its code and text. */
export interface RefusalOptions {
  /** The connection ends after it, and the peer should not come back. Default false. */
  readonly fatal?: boolean;
  /** Id of the envelope that is refused. */
  readonly refId?: string | undefined;
}

/**
 * One active connection of an agent or a user, as handlers see it. A name may have many (users), over time or at once;
 * what is kept for a name is kept by the name, never by the peer.
 */
export interface RelayPeer {
  /** Names it in the logs; a UUID. */
  readonly connectionId: string;
  readonly name: string;
  readonly entityType: "agent" | "user";
  readonly hello: HelloPayload;
  /** Unix milliseconds. */
  readonly connectedAt: number;
  /** It asked for a RECEIPT for each SEND. */
  readonly wantsReceipts: boolean;
  /** It reads RECEIPTs of many messages. */
  readonly readsBatches: boolean;
  /** Writes one envelope. Does nothing when the connection has ended; one that is too large for a frame is an ERROR instead. */
  send(envelope: Envelope<object>): void;
  /** Writes a frame whose JSON exists already. It must fit into a frame. */
  sendText(text: string): void;
  /** Writes an ERROR; a fatal one is followed by BYE and the end of the connection, after everything was written. */
  refuse(code: ErrorCode, message: string, options?: RefusalOptions): void;
  /** Writes a BUSY that names the refused SEND. */
  busy(retryAfterMs: number, queueDepth: number, refId: string): void;
  /** Ends the connection with BYE; what was written before is flushed. */
  end(reason: string): void;
}
