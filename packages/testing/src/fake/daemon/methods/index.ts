export * from "./catalogue-methods.js";
export * from "./connection-methods.js";
export * from "./inbox-methods.js";
export * from "./session-methods.js";
