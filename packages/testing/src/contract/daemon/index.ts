export * from "./daemon-contract.js";
export * from "./daemon-harness.js";
export * from "./daemon-offers.js";
