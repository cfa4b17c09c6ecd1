export type * from "./events.js";
export * from "./message-bridge.js";
export * from "./turn-result.js";
