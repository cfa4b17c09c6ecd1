export { RelayHost } from "./relay-host.js";
export { RelayDoor } from "./wire/index.js";
export type { SpawningParts } from "./workers/index.js";
