export * from "./frames.js";
export * from "./params.js";
