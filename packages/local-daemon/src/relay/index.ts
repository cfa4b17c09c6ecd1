export { RelayDoor } from "./relay-door.js";
export { RelayHost } from "./relay-host.js";
export type { SpawningParts } from "./relay-services.js";
