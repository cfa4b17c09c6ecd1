export type { ChaosConnection } from "./chaos-connection.js";
export type { ChaosDelay, ChaosDirection } from "./chaos-direction.js";
export * from "./chaos-proxy.js";
