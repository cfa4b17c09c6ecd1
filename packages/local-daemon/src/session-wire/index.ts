export type { OpenConsole, Reload } from "./handlers/index.js";
export { type DialectServices, SessionDialect } from "./session-dialect.js";
export { SharedTurns } from "./shared-turns.js";
