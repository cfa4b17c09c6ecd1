export { RelayHost } from "./relay-host.js";
export { RelayListener } from "./wire/index.js";
export type { SpawningParts } from "./workers/index.js";
