export * from "./description.js";
export * from "./guard-of.js";
