export * from "./fault-switches.js";
export * from "./faulty-transport.js";
