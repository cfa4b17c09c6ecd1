import type { Logger } from "@daemon-sdk/protocol";
import type { LoopShares } from "../connection/index.js";
import { CallRoom } from "./call-room.js";
import { KeyConnections } from "./key-connections.js";
import { LargeTurns } from "./large-turns.js";
import { ReadTurns } from "./read-turns.js";
import { RefusalLog } from "./refusal-log.js";

/** What the connections of one daemon have in common, so that each principal gets its share of it. */
export class SharedTurns {
  readonly shares: LoopShares;
  readonly reads: ReadTurns;
  readonly large = new LargeTurns();
  readonly calls = new CallRoom();
  readonly connections = new KeyConnections();
  readonly refusals: RefusalLog;

  constructor(logger: Logger, shares: LoopShares) {
    this.shares = shares;
    this.reads = new ReadTurns(shares);
    this.refusals = new RefusalLog({ logger });
  }
}
