export { agentNameFault, isComponentName, isInternalName, isReservedName } from "./agent-names.js";
export type { Evidence } from "./claims.js";
export { Directory, type ExpectedAgent } from "./directory.js";
export { addressFor, channelAddress, channelOf, machineAddress, machineOf } from "./mailbox-address.js";
export { type AgentRecord, NameRegistry, recordOf } from "./name-registry.js";
export { NamesElsewhere } from "./names-elsewhere.js";
export type { RefusalOptions, RelayPeer } from "./relay-peer.js";
