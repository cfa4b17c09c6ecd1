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
  /** The machine whose names get it, when `to` is one address for many names. */
  readonly machineId?: string | undefined;
  /** Id of the SEND, which a refusal names. */
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

/** What a mailbox delivers to: a connection, or a stdio agent. */
export interface MailboxSink {
  /**
   * Takes one DELIVER, as JSON. The same entry may come again until it is acknowledged; those of an outbox do not.
   *
   * @param position of the entry in its mailbox
   */
  deliver(frameText: string, entryId: string, position: number): void;
  /** True: nothing is delivered until `onceWritable` calls. */
  readonly isFull: boolean;
  /** Calls once, when there is room again; never, if the connection ends first. */
  onceWritable(callback: () => void): void;
}

/** A cursor in a mailbox, from HELLO to the end of the connection. */
export interface MailboxCursor {
  /** Acknowledges an entry: it is never delivered again. Does nothing when no entry of that id waits for an ACK. */
  ack(entryId: string): void;
  /** As {@link ack}, for the entry whose sender waits for an ACK with that correlation id. */
  ackAwaited(correlationId: string): void;
  /** Ends the delivery to this sink. What was not acknowledged stays in the mailbox. */
  close(): void;
}

/**
 * Which of a name's mailboxes to read; default: the one that messages to the name go to. `sessionId` is named in the DELIVERs;
 * default: the last session of the name, or a new one.
 */
export interface AttachOptions {
  readonly entityType?: "agent" | "user";
  readonly sessionId?: string;
}

/** Which stored messages to read; a field that is left out excludes none. */
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
  /** Only dead letters. */
  readonly failedOnly?: boolean | undefined;
  /** Only messages of these ids. */
  readonly ids?: ReadonlySet<string> | undefined;
  /** Reads no further once the bodies that were found have this many UTF-16 units. */
  readonly maxUnits?: number | undefined;
  /** Undefined: whoever may read everything. */
  readonly reader?: HistoryReader | undefined;
}

/** Decides which stored messages a reader may see. */
export interface HistoryReader {
  /** @param address of the mailbox that holds the entry */
  mayRead(entry: HistoryEntry, address: string): boolean;
}

/**
 * One stored message. `unread`: never written to a connection; `read`: written, not acknowledged; `failed`: a dead letter,
 * which was dropped by age before it was acknowledged.
 */
export interface HistoryEntry {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly payload: SendPayload;
  readonly topic?: string | undefined;
  readonly originalTo?: string | undefined;
  /** Unix milliseconds. */
  readonly ts: number;
  readonly status: "unread" | "read" | "acked" | "failed";
  readonly payload_meta?: SendMeta | undefined;
  /** In its mailbox. */
  readonly position: number;
}

/**
 * The mailboxes of all names: each is a stored journal of DELIVERs, and each connection of the name is a cursor in it. What is
 * not acknowledged is delivered again. What arrives while no connection has the name waits.
 */
export interface Mailboxes {
  /** Stores the posts in one transaction, then delivers. Resolves with their outcomes, in order. Never rejects. */
  post(posts: readonly Post[]): Promise<PostOutcome[]>;
  /** Stores messages for {@link history} that are never delivered, such as a channel's; `to` is any name. */
  record(posts: readonly Post[]): void;
  /** Delivers everything that was not acknowledged, in order, then each new entry. */
  attach(name: string, sink: MailboxSink, options?: AttachOptions): MailboxCursor;
  /** Reads stored messages. Rejects when the store fails. */
  history(query: HistoryQuery): Promise<HistoryEntry[]>;
}
