export * from "./enrol.js";
export * from "./enrolment-key.js";
export * from "./fleet-keys.js";
export * from "./revoke.js";
