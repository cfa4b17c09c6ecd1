export * from "../nats-base/index.js";
export * from "./open-nats.js";
