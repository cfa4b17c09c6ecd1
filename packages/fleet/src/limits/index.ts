export * from "./fleet-limits.js";
