export * from "./base/index.js";
export * from "./errors.js";
export * from "./limits/index.js";
export * from "./link/index.js";
export * from "./rpc/index.js";
export * from "./session/index.js";
export * from "./version.js";
