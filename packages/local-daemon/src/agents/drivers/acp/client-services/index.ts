export { ClientServices } from "./client-services.js";
export type { StartCommand, TerminalCommand } from "./client-terminals.js";
