export { MAILBOX_LIMITS } from "./mailbox-limits.js";
export { MESSAGING_LIMITS } from "./messaging-limits.js";
export { RELAY_LIMITS, type RelayLimits } from "./relay-limits.js";
export { SEARCH_LIMITS } from "./search-limits.js";
export { SESSION_LIMITS, type SessionLimits } from "./session-limits.js";
