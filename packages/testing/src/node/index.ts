export * from "./agent/index.js";
export * from "./chaos/index.js";
export * from "./file-sink.js";
