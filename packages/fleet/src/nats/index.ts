export * from "./open-nats.js";
