export { CommitWatch } from "./commit-watch.js";
export { type Batch, type CommitSource, Committer } from "./committer.js";
export { Cursor, type CursorStart } from "./cursor.js";
export { EntryFrames } from "./entry-frames.js";
export { isRequestFrame, notificationOf, notificationTextOf } from "./journal-frame.js";
export type { FrameSink, JournalReader } from "./journal-reader.js";
export { SessionLog } from "./log.js";
export { RecentBudget } from "./recent-entries.js";
export { checkPosition } from "./resume.js";
