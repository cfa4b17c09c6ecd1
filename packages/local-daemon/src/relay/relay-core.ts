import type { BlockingSends } from "./blocking-sends.js";
import type { DurableMailboxes } from "./durable-mailboxes.js";
import type { PeerDirectory } from "./peer-directory.js";
import type { RateLimit } from "./rate-limit.js";
import type { RelayServices } from "./relay-services.js";
import type { Topics } from "./topics.js";

/** {@link RelayServices} with the parts that only routing itself needs. */
export interface RelayCore extends RelayServices {
  readonly directory: PeerDirectory;
  readonly mailboxes: DurableMailboxes;
  readonly topics: Topics;
  readonly blocking: BlockingSends;
  readonly rate: RateLimit;
}
