export { SessionDialect } from "./session-dialect.js";
