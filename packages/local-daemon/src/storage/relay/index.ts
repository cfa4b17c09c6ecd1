export { MailboxIndex } from "./mailbox-index.js";
export { MemoryRelay } from "./memory-relay.js";
export type {
  MailboxRow,
  MailboxState,
  RelayStore,
  RelayWrite,
  SegmentQuery,
  StoredSegment,
} from "./relay-rows.js";
export { SqliteRelay } from "./sqlite-relay.js";
