export { DaemonState, type LinkState, type SessionRow } from "./daemon-state.js";
export { SessionState } from "./session-state.js";
