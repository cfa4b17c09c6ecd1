export * from "./envelopes.js";
export * from "./extensions.js";
export * from "./methods.js";
export * from "./notifications.js";
export * from "./params.js";
export * from "./requests.js";
export * from "./results.js";
export * from "./values.js";
