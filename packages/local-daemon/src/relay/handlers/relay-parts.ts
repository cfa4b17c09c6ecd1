import type { Logger } from "@daemon-sdk/protocol";
import type { Committer } from "../../journal/index.js";
import type { RelayLimits } from "../../limits/index.js";
import type { Store } from "../../storage/index.js";
import type { DaemonExchange } from "../exchange/index.js";
import type { Channels, ShadowTable, Topics } from "../groups/index.js";
import type { DurableMailboxes } from "../mailboxes/index.js";
import type { Directory, NamesElsewhere, RelayPeer } from "../names/index.js";
import type { PresenceFeed } from "../presence-feed.js";
import type { SpawningParts } from "../workers/index.js";

/** The parts of the relay on which handlers act; each group of handlers takes those that it needs. */
export interface RelayParts {
  readonly directory: Directory;
  /** Names on other machines of the fleet. */
  readonly elsewhere: NamesElsewhere;
  readonly exchange: DaemonExchange;
  readonly mailboxes: DurableMailboxes;
  readonly topics: Topics;
  readonly channels: Channels;
  readonly shadows: ShadowTable;
  readonly feed: PresenceFeed;
  readonly store: Store;
  readonly committer: Committer;
  readonly limits: RelayLimits;
  /** `open`: a name has no owner. */
  readonly access: "owned" | "open";
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Undefined: spawning is not enabled. */
  readonly spawning?: SpawningParts | undefined;
  /** Adds a peer that has no connection; returns how to remove it. */
  admit(peer: RelayPeer): () => void;
}
