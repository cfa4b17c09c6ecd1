export * from "./description.js";
export * from "./guard-of.js";
export * from "./null-remover.js";
