export type { TransportCase, TransportHarness, TransportPair } from "./transport-case.js";
export * from "./transport-contract.js";
