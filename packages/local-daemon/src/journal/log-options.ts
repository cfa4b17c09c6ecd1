import type { DaemonError, Logger, SessionId } from "@daemon-sdk/protocol";
import type { SessionLimits } from "../limits/index.js";
import type { Store } from "../storage/index.js";
import type { CommitWatch } from "./commit-watch.js";
import type { Committer } from "./committer.js";
import type { OversizedEntry } from "./entry-bound.js";
import type { RecentBudget } from "./recent-entries.js";

/** Options of `SessionLog`. */
export interface SessionLogOptions {
  readonly sessionId: SessionId;
  /** This start of the daemon. */
  readonly epoch: number;
  /** Position of the last entry the journal ever had; 0 for none. */
  readonly lastSeq: number;
  readonly services: LogServices;
  readonly session: LogSession;
  /** The configured key of the session; undefined: the person's own. */
  readonly owner?: string | undefined;
}

/** What all logs share. */
export interface LogServices {
  readonly store: Store;
  readonly committer: Pick<Committer, "enlist">;
  readonly limits: SessionLimits;
  readonly watch: Pick<CommitWatch, "wake">;
  readonly recent: RecentBudget;
  readonly now: () => number;
  readonly logger: Logger;
}

/** The session of a log. */
export interface LogSession {
  /** More waits for the store than should, or no longer does. */
  onBacklog(isOver: boolean): void;
  /** A commit failed; called once until one succeeds again. */
  onUndurable(error: DaemonError): void;
  /** An entry was larger than a client could be sent: it was shortened, or not stored. Called after it. */
  onOversized(entry: OversizedEntry): void;
  /** First entry of the turn that runs: pruning spares it. */
  turnFirstSeq(): number | undefined;
}
