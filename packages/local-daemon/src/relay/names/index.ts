export type { AgentRecord, Directory } from "./directory.js";
export { NameRegistry, recordOf } from "./name-registry.js";
export { agentNameFault, isInternalName, isReservedName } from "./names.js";
export { PeerDirectory } from "./peer-directory.js";
export type { RefusalOptions, RelayPeer } from "./relay-peer.js";
