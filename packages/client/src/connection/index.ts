export * from "./connection-calls.js";
export * from "./connection-lifecycle.js";
export * from "./iterate-status.js";
export * from "./multiplexer.js";
export * from "./options.js";
export * from "./status-events.js";
