import type { SessionId } from "@daemon-sdk/protocol";
import type { AgentServices, OfferedModels } from "../agents/index.js";
import type { Inbox } from "../inbox/index.js";
import type { CommitWatch, RecentBudget } from "../journal/index.js";
import type { SessionLimits } from "../limits/index.js";
import type { MessageSearch } from "../search/index.js";
import type { Store, StoreWrite } from "../storage/index.js";
import type { QueueRoom, StoredRoom, TurnObserver } from "../turns/index.js";
import type { SessionRules } from "./session-rules.js";

/** Services that all sessions share. */
export interface SessionServices extends AgentServices {
  readonly store: Store;
  /** Calls that wait for entries of a session. */
  readonly watch: CommitWatch;
  /** What cursors that lag read from memory. */
  readonly recent: RecentBudget;
  /** Of the positions of sessions that are opened from now on. It grows when a session arrives from a machine whose own is larger. */
  epoch: number;
  readonly inbox: Inbox;
  readonly search: MessageSearch;
  readonly limits: SessionLimits;
  readonly rules: SessionRules;
  readonly models: OfferedModels;
  /** What waits in the queues of all sessions. */
  readonly room: QueueRoom;
  /** What all sessions have stored. */
  readonly storedRoom: StoredRoom;
  /** Is notified of the steps of all turns. */
  readonly observer: TurnObserver;
  /** What is stored with the end of a session on this machine, so that copies of it elsewhere are erased. */
  readonly erasureOf: (id: SessionId) => readonly StoreWrite[];
}
