export { DaemonState, type LinkState, type RequestRow, type SessionRow } from "./daemon-state.js";
export { SessionState } from "./session-state.js";
