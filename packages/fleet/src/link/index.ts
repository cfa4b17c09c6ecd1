export * from "./link-router.js";
export * from "./link-transport.js";
