/** Where a replica of one session stands: what the next message of its journal continues. */
export interface SessionPlace {
  /** Names one copy of the session from its beginning on. A later one replaces it. */
  readonly generation: string;
  /** When the copy was begun, in Unix milliseconds. */
  readonly begunAt: number;
  /** Position of the last entry in the replica … */
  readonly seq: number;
  /** … and a digest of it: a store that was restored from a backup has another entry there. Empty without an entry. */
  readonly digest: string;
  /** Whether the entry was compared with the one of the store. One that the stream states is compared before it is continued. */
  readonly isCompared: boolean;
  /** The stream's number of the last message with entries of this session; 0 for none. */
  readonly logNo: number;
  /** Digest of the row as it was sent last; empty when it was not. */
  readonly rowDigest: string;
}
