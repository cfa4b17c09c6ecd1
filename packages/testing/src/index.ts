export { type MemoryLink, type MemoryTransportOptions, memoryTransport } from "./memory-transport.js";
