export * from "./frames.js";
export * from "./params.js";
export * from "./size-bounds.js";
export * from "./text-bounds.js";
