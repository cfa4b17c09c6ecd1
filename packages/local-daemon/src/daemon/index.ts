export { readConfigFile } from "./config-file.js";
export type { ConfigFile } from "./config-schema.js";
export { runDaemon } from "./run-daemon.js";
