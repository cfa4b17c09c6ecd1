export * from "./client-limits.js";
export * from "./limits.js";
export * from "./text-limits.js";
