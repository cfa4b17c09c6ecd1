export * from "./credentials-name.js";
export * from "./open-nats.js";
