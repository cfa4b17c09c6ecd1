import type { Logger } from "@daemon-sdk/protocol";
import { LoopShares } from "../connection/index.js";
import { KeyConnections } from "./key-connections.js";
import { ReadTurns } from "./read-turns.js";
import { RefusalLog } from "./refusal-log.js";

/** What the connections of one daemon have in common, so that each principal gets its share of it. */
export class SharedTurns {
  readonly shares = new LoopShares();
  readonly reads = new ReadTurns();
  readonly connections = new KeyConnections();
  readonly refusals: RefusalLog;

  constructor(logger: Logger) {
    this.refusals = new RefusalLog({ logger });
  }
}
