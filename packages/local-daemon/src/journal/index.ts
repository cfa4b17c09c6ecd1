export { type Batch, Committer } from "./committer.js";
export { Cursor, type CursorSource, type CursorStart } from "./cursor.js";
export type { SessionClient } from "./follower.js";
export { isRequestFrame, readFrame } from "./journal-frame.js";
export { SessionLog } from "./log.js";
export { checkPosition } from "./resume.js";
