export * from "./events.js";
export * from "./json-schema-check.js";
export * from "./message-bridge.js";
export * from "./output-format.js";
export * from "./running-stream.js";
export * from "./session-stream.js";
export * from "./stream-options.js";
export * from "./stream-state-tracker.js";
