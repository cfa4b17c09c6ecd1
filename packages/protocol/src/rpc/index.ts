export * from "./inbound.js";
export * from "./pending-requests.js";
export * from "./protocol-engine.js";
export * from "./rpc-errors.js";
