import type { SendMeta, SendPayload } from "@daemon-sdk/protocol/relay";

/** One message for one name. */
export interface Post {
  readonly from: string;
  /** The recipient's name. */
  readonly to: string;
  readonly payload: SendPayload;
  readonly topic?: string | undefined;
  readonly payload_meta?: SendMeta | undefined;
  /** What the SEND was addressed to, when that is not `to`. */
  readonly originalTo?: string | undefined;
  /** Id of the SEND, for whoever has to be told that it was refused. */
  readonly refId: string;
}

/** Why a post was not taken. */
export interface PostRefusal {
  readonly state: "refused";
  readonly code: "NOT_FOUND" | "BUSY" | "BAD_REQUEST" | "INTERNAL";
  /** For people; names the SEND. */
  readonly message: string;
  /** With BUSY. */
  readonly retryAfterMs?: number;
  /** With BUSY: messages that wait in the mailbox. */
  readonly queueDepth?: number;
}

/** What became of a post. `delivered`: stored, and written to the recipient's connection; `queued`: stored. */
export type PostOutcome = { readonly state: "queued" | "delivered" } | PostRefusal;

/** Where a mailbox delivers to: a connection, or a stdio worker. */
export interface MailboxSink {
  /** Takes one DELIVER, as JSON. The same entry may come again until it is acknowledged. */
  deliver(frameText: string, entryId: string): void;
  /** True: nothing is delivered until `onceWritable` calls. */
  readonly isFull: boolean;
  /** Calls once, when there is room again. */
  onceWritable(callback: () => void): void;
}

/** A connected reader of a mailbox. */
export interface MailboxCursor {
  /** The entry was taken care of; it never comes again. Ids that are not waiting for an ACK mean nothing. */
  ack(entryId: string): void;
  /** Ends the delivery to this sink. What it did not acknowledge stays. */
  close(): void;
}

/** What stands in DELIVERs to this reader; default: the last session of the name, or a new one. */
export interface AttachOptions {
  readonly entityType?: "agent" | "user";
  readonly sessionId?: string;
}

/** Which stored messages to read; no field means all. */
export interface HistoryQuery {
  readonly limit: number;
  /** Default `desc`: newest first. */
  readonly order?: "asc" | "desc";
  /** Unix milliseconds, that time included. */
  readonly sinceTs?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly thread?: string | undefined;
  /** Only messages that were not acknowledged. */
  readonly unreadOnly?: boolean | undefined;
}

/** One stored message. `unread`: never written to a connection; `read`: written, not acknowledged. */
export interface HistoryEntry {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly payload: SendPayload;
  readonly topic?: string | undefined;
  readonly originalTo?: string | undefined;
  /** Unix milliseconds. */
  readonly ts: number;
  readonly status: "unread" | "read" | "acked";
}

/**
 * The mailboxes of all names (docs/architecture.md, "mailbox"): each a stored journal of DELIVERs, read by whoever is
 * connected under the name. What is not acknowledged is delivered again; what arrives while nobody is there waits.
 */
export interface Mailboxes {
  /** Stores the posts in one transaction, then delivers. The outcomes stand in the order of the posts. Never rejects. */
  post(posts: readonly Post[]): Promise<PostOutcome[]>;
  /** Keeps messages for {@link history} that are never delivered, such as a channel's; `to` is any name. */
  record(posts: readonly Post[]): void;
  /** Delivers everything that was not acknowledged, in order, then what comes. */
  attach(name: string, sink: MailboxSink, options?: AttachOptions): MailboxCursor;
  /** Reads stored messages. Rejects when the store fails. */
  history(query: HistoryQuery): Promise<HistoryEntry[]>;
}
