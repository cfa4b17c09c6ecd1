export * from "./fake-clock.js";
export * from "./system-clock.js";
