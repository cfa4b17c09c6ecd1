export type { OpenConsole, Reload } from "./handlers/index.js";
export { SessionDialect } from "./session-dialect.js";
export { SharedTurns } from "./shared-turns.js";
