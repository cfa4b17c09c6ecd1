export { DurableMailboxes, type OutboxFigures } from "./durable-mailboxes.js";
export type {
  HistoryEntry,
  HistoryQuery,
  HistoryReader,
  MailboxCursor,
  Mailboxes,
  MailboxSink,
  Post,
  PostOutcome,
  PostRefusal,
} from "./mailboxes.js";
export { postOf } from "./stored-deliver.js";
