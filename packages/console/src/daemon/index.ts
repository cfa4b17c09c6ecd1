export { DaemonState, type LinkState, type RequestRow, type SessionRow } from "./daemon-state.js";
export type { MachineLink } from "./machine-link.js";
export { SessionState } from "./session-state.js";
