export * from "./client-limits.js";
export * from "./limits.js";
