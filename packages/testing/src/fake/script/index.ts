export * from "./asking.js";
export * from "./prompt.js";
export * from "./prompt-rules.js";
export * from "./received.js";
export * from "./turn-script.js";
export * from "./unmet.js";
