export * from "./agent/index.js";
export * from "./daemon/index.js";
export * from "./script/index.js";
export { rpcFault } from "./wire/index.js";
