export { ConnectedPeer } from "./connected-peer.js";
export { Handshake } from "./handshake.js";
export type { RelayGate } from "./relay-dialect.js";
export { RelayListener } from "./relay-listener.js";
