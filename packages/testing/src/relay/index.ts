export type { MemoryByteLink, MemoryByteLinkEvents } from "./memory-byte-link.js";
export * from "./memory-relay.js";
