export type { RelayState } from "./relay.machine.js";
export { RelayConnection } from "./relay-connection.js";
export { clientClosed, errorOf } from "./relay-errors.js";
export { type RelayClientOptions, type RelayIdentity, relaySettings } from "./relay-options.js";
export type { RelayDial, RelayDialRequest, RelayDialResult, RelayPlatform } from "./relay-platform.js";
