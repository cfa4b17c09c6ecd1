export { checkConfigFile, configPathOf, readConfigFile } from "./read-config-file.js";
export type { ConfigFile } from "./schema.js";
