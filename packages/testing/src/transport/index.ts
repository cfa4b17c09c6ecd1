export { type MemoryLink, type MemoryTransportOptions, memoryTransport } from "./memory-transport.js";
export * from "./record-transport.js";
export * from "./recording.js";
