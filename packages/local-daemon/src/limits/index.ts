export { AGENT_LIMITS } from "./agent-limits.js";
export { JOURNAL_LIMITS } from "./journal-limits.js";
export { MAILBOX_LIMITS } from "./mailbox-limits.js";
export { MESSAGING_LIMITS } from "./messaging-limits.js";
export { PROCESS_LIMITS } from "./process-limits.js";
export { RELAY_LIMITS, type RelayLimits } from "./relay-limits.js";
export { SESSION_LIMITS, type SessionLimits } from "./session-limits.js";
export { STORAGE_LIMITS } from "./storage-limits.js";
export { WIRE_LIMITS } from "./wire-limits.js";
