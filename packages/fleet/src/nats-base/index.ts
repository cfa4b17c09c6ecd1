export * from "./credentials-name.js";
export * from "./open-nats-by.js";
export * from "./refusals.js";
