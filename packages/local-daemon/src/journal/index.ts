export { type Batch, Committer } from "./committer.js";
export { Cursor, type CursorStart } from "./cursor.js";
export type { Follower, Outbox } from "./follower.js";
export { SessionLog } from "./log.js";
export { checkPosition } from "./resume.js";
