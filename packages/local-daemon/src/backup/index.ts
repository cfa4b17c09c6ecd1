export { entriesLine } from "./entries-line.js";
export { exportAll } from "./export-all.js";
export { exportSession, turnLine } from "./export-session.js";
export { importSessions, readSessionLine, writesOf } from "./import-sessions.js";
export { restoreAll } from "./restore-all.js";
export type { SessionLine } from "./session-lines.js";
