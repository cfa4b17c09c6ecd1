export type { FakeConnection } from "./all-connections.js";
export type { FakeCall, FakeMethod } from "./calls.js";
export { ALL_CAPABILITIES, type CapabilityOptions } from "./capabilities.js";
export { NO_REPLY } from "./dispatcher.js";
export * from "./fake-daemon.js";
export * from "./fake-daemon-harness.js";
export type { FaultSwitches } from "./faults/index.js";
export type { FakeSession, FakeSessionOptions } from "./session.js";
