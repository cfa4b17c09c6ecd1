export * from "./frames.js";
export * from "./params.js";
export * from "./text-bounds.js";
