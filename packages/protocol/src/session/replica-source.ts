import type { SessionSettings, SessionTag, TokenUsage } from "./values.js";

/** What a replica has of a session's row. No values of variables, no MCP servers and no parameters of the agent: those may hold secrets. */
export interface ReplicatedRow {
  readonly sessionId: string;
  /** Name of its agent. */
  readonly agent: string;
  readonly cwd: string;
  readonly title?: string;
  readonly settings: SessionSettings;
  readonly tags: readonly SessionTag[];
  readonly tokenUsage?: TokenUsage;
  /** Unix milliseconds, as the other times. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly archivedAt?: number;
}

/** A session of the daemon, as it is now. */
export interface ReplicaSession {
  readonly row: ReplicatedRow;
  /** First and last position of its journal; the first is larger when the journal is empty. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Epoch of the last entry; 0 when the journal is empty. */
  readonly epoch: number;
}

/** Entries of a journal that follow one another, of one epoch. */
export interface ReplicaEntries {
  readonly firstSeq: number;
  /**
   * The JSON of each entry's notification, without line breaks; a request is `request_opened`, as in a page of entries. Empty when there is
   * nothing from the position on.
   */
  readonly entries: readonly string[];
  /** Their epoch. */
  readonly epoch: number;
  /**
   * When the last segment that ends with them was stored, in Unix milliseconds; 0 when none does. Two histories of one session differ in it, though
   * they may have the same entry at the same position.
   */
  readonly at: number;
}

/** A part of a conversation. */
export interface ReplicaMessages {
  /** Each message as JSON. */
  readonly lines: readonly string[];
  /** Place of the last one; the next part follows it. */
  readonly lastNo: number;
}

/** How much is stored on the machine, and not acknowledged by the replica. */
export interface ReplicaLag {
  readonly entries: number;
  /** A character counts as one byte. */
  readonly bytes: number;
  /** When the oldest of these entries was stored, in Unix milliseconds; undefined when there is none. */
  readonly since: number | undefined;
}

/** Is notified by a {@link ReplicaSource}. */
export interface ReplicaFollower {
  /** Called after the commit of entries, or of a changed row, of a session. */
  changed(sessionId: string, entries: number, bytes: number): void;
  /** Called after a session was deleted, or was moved to another machine. */
  erased(sessionId: string): void;
  /** Read for the daemon's metrics. */
  lag(): ReplicaLag;
}

/**
 * What a daemon provides for a replica of its sessions. Everything is read from the store, so a follower that is slow, or away, costs the
 * sessions nothing.
 */
export interface ReplicaSource {
  /** Whether a replica was ever made, and not forgotten since. Sessions that are deleted meanwhile are in {@link erasures}. */
  readonly isReplicated: boolean;
  /** Notifies a follower from now on; one at a time. Resolves when it is stored that there is a replica. */
  attach(follower: ReplicaFollower): Promise<void>;
  detach(follower: ReplicaFollower): void;
  /** The replica as a whole is gone. */
  forgetReplica(): Promise<void>;
  /** Some sessions, the one first that was longest not changed. Those after a session when one is named; empty when there are no more. */
  sessions(after?: ReplicatedRow): Promise<readonly ReplicaSession[]>;
  /** Undefined for a session that is not here. */
  session(sessionId: string): Promise<ReplicaSession | undefined>;
  /** Messages behind a place, 0 for the first ones; empty when there are no more. */
  messages(sessionId: string, afterNo: number): Promise<ReplicaMessages>;
  /** Entries from a position on, within the bounds but for the first one. Those after a gap when the store has none there. */
  entries(
    sessionId: string,
    fromSeq: number,
    most: { readonly entries: number; readonly bytes: number },
  ): Promise<ReplicaEntries>;
  /** What is stored after a position. */
  behind(sessionId: string, afterSeq: number): Promise<ReplicaLag>;
  /** Sessions that were deleted, or moved away, and may still be in the replica. */
  erasures(): Promise<readonly string[]>;
  /** These are not in the replica any more. */
  forgetErasures(sessionIds: readonly string[]): Promise<void>;
}
