export { RELAY_LIMITS, type RelayLimits } from "./relay-limits.js";
export { SESSION_LIMITS, type SessionLimits } from "./session-limits.js";
