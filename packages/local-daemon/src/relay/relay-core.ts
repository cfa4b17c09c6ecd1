import type { BlockingSends } from "./blocking-sends.js";
import type { Topics } from "./groups/index.js";
import type { DurableMailboxes } from "./mailboxes/index.js";
import type { PeerDirectory } from "./names/index.js";
import type { RelayServices } from "./relay-services.js";
import type { RateLimit } from "./wire/index.js";

/** {@link RelayServices} with the parts that only routing itself needs. */
export interface RelayCore extends RelayServices {
  readonly directory: PeerDirectory;
  readonly mailboxes: DurableMailboxes;
  readonly topics: Topics;
  readonly blocking: BlockingSends;
  readonly rate: RateLimit;
}
