/**
 * What a store keeps of the relay: mailboxes, the numbers of their streams, and facts of other parts of the relay.
 *
 * Addresses, streams and fact names are chosen by peers: any text. Entries are whole DELIVERs as JSON.
 */

/** Acknowledged positions of a mailbox. Positions count its entries from 1, and are never used twice. */
export interface MailboxState {
  readonly address: string;
  /** Every entry up to here was acknowledged, or dropped. */
  readonly lowWater: number;
  /** Acknowledged runs of positions above that, both ends included, ascending. */
  readonly acked: readonly (readonly [number, number])[];
  /** The newest entry. */
  readonly lastPosition: number;
  /** Bytes of the unacknowledged entries. */
  readonly waitingBytes: number;
}

/** A mailbox. `body` belongs to the relay: JSON of the name's state. */
export interface MailboxRow extends MailboxState {
  readonly body: string;
}

/** Entries of one mailbox that were stored together. */
export interface MailboxSegmentRow {
  readonly address: string;
  readonly firstPosition: number;
  readonly entries: readonly string[];
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** A {@link MailboxSegmentRow} read back; `no` rises with the time of storing, over all mailboxes. */
export interface StoredSegment extends MailboxSegmentRow {
  readonly no: number;
}

/** One change of the relay's part of the store. */
export type RelayWrite =
  /** Creates or replaces a mailbox. */
  | { readonly kind: "mailbox"; readonly row: MailboxRow }
  /** Replaces the acknowledged positions of an existing mailbox. */
  | { readonly kind: "mailboxState"; readonly state: MailboxState }
  | { readonly kind: "mailboxSegment"; readonly row: MailboxSegmentRow }
  /** The last number used in a stream of a mailbox. */
  | { readonly kind: "mailboxStream"; readonly address: string; readonly stream: string; readonly seq: number }
  /** Drops whole segments that end before `beforePosition`. */
  | { readonly kind: "pruneMailbox"; readonly address: string; readonly beforePosition: number }
  /** Drops the segments of all mailboxes up to one, in the order of storing, whose entries were all acknowledged or dropped. */
  | { readonly kind: "pruneHistory"; readonly throughNo: number }
  /** Drops a mailbox with its entries. */
  | { readonly kind: "dropMailbox"; readonly address: string }
  /** Stores a fact under a name; without `body` the fact is dropped. */
  | { readonly kind: "relayFact"; readonly scope: string; readonly name: string; readonly body: string | undefined };

/** Which stored segments to read, of one mailbox or of all. */
export interface SegmentQuery {
  readonly address?: string | undefined;
  /** `desc`: newest first. */
  readonly order: "asc" | "desc";
  /** Only those beyond this one in the order asked for: its `no`. */
  readonly beyond?: number | undefined;
  readonly limit: number;
}

/** The relay's part of a store. */
export interface RelayStore {
  /** Every mailbox, with the last number of each of its streams. */
  mailboxes(): Promise<readonly (MailboxRow & { readonly streams: readonly (readonly [string, number])[] })[]>;
  /** Segments that hold entries from `fromPosition` on, in order, at most about `maxBytes`, at least one when there is one. */
  readMailbox(address: string, fromPosition: number, maxBytes: number): Promise<readonly StoredSegment[]>;
  mailboxSegments(query: SegmentQuery): Promise<readonly StoredSegment[]>;
  /** Facts of a scope by name. */
  relayFacts(scope: string): Promise<readonly (readonly [string, string])[]>;
}
