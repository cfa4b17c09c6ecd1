export { FLEET_NAME, FLEET_NAME_TEXT } from "./fleet-name.js";
export { checkConfigFile, configPathOf, readConfigFile } from "./read-config-file.js";
export type { ConfigFile } from "./schema.js";
