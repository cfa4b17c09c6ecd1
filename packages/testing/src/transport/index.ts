export { type MemoryLink, type MemoryTransportOptions, memoryTransport } from "@daemon-sdk/protocol";
export * from "./record-transport.js";
export * from "./recording.js";
