export { exportAll } from "./export-all.js";
export { exportSession } from "./export-session.js";
export { importSessions } from "./import-sessions.js";
export { restoreAll } from "./restore-all.js";
