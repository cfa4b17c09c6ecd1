export type { ChaosConnection } from "./chaos-connection.js";
export type { ChaosDelay, ChaosLane } from "./chaos-lane.js";
export * from "./chaos-proxy.js";
