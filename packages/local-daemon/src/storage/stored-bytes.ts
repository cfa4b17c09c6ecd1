import type { SessionId } from "@daemon-sdk/protocol";

/**
 * How many bytes of sessions each principal has stored: their rows, messages, entries, prompts and requests, as JSON in UTF-8, and so
 * many for each turn. Known without asking the store, and exact after each commit.
 */
export interface StoredBytes {
  /** Of a configured key, by its id; undefined: of the person. */
  of(owner: string | undefined): number;
  /** Of one session, which is read in the store; absent where only principals are counted. */
  ofSession?(id: SessionId): number;
  /** Of everybody who has some. */
  all(): ReadonlyMap<string | undefined, number>;
}
