export * from "./contract.js";
export * from "./daemon/index.js";
export * from "./expectation.js";
export * from "./transport/index.js";
export * from "./wire-frame.js";
