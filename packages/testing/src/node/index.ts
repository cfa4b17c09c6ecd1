export * from "./acp/index.js";
export * from "./agent/index.js";
export * from "./chaos/index.js";
export * from "./check-agent/index.js";
export * from "./file-sink.js";
