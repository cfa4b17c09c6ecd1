export { addAgentsCommand } from "./agents-command.js";
export { addConfigCommands, addReloadCommand } from "./config-command.js";
export { addTokenCommands } from "./token-command.js";
