import type { Envelope, ErrorCode, HelloPayload } from "@daemon-sdk/protocol/relay";

/** The fields of an ERROR beside its code and text. */
export interface RefusalOptions {
  /** The connection ends after it, and the peer should not connect again. Default false. */
  readonly fatal?: boolean;
  /** Id of the envelope that is refused. */
  readonly refId?: string | undefined;
}

/**
 * One active connection of an agent or a user, or a stdio agent that has none. A name may have many peers, over time or (a
 * user) at once: what is kept for a name is kept under the name, never under the peer.
 */
export interface RelayPeer {
  /** In the logs; a UUID. */
  readonly connectionId: string;
  readonly name: string;
  readonly entityType: "agent" | "user";
  readonly hello: HelloPayload;
  /** Unix milliseconds. */
  readonly connectedAt: number;
  /** The peer may read the messages of others and remove others: it has proven to act for the person, or names are open. */
  readonly actsForPerson: boolean;
  /** Since when the name has this owner, in Unix milliseconds. Earlier messages of the name are another's. */
  readonly ownedSince: number;
  /** The peer asked in HELLO for a RECEIPT for each SEND. */
  readonly wantsReceipts: boolean;
  /** The peer reads one RECEIPT for many messages. */
  readonly readsBatches: boolean;
  /** Writes one envelope, or an ERROR when it is too large for a frame. Does nothing when the connection has ended. */
  send(envelope: Envelope<object>): void;
  /** Writes an envelope whose JSON exists already. It must fit into a frame. */
  sendText(text: string): void;
  /** Writes an ERROR; a fatal one is followed by BYE and the end of the connection, after everything was written. */
  refuse(code: ErrorCode, message: string, options?: RefusalOptions): void;
  /** Writes a BUSY that names the refused SEND. */
  busy(retryAfterMs: number, queueDepth: number, refId: string): void;
  /** Ends the connection with BYE; what was written before is flushed. */
  end(reason: string): void;
}
