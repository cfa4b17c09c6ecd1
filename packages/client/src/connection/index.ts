export * from "./connection.machine.js";
export * from "./connection-calls.js";
export * from "./iterate-status.js";
export * from "./multiplexer.js";
export * from "./options.js";
export * from "./status-events.js";
