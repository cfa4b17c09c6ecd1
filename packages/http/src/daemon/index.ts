export { type DaemonSource, daemonOf } from "./daemon-source.js";
export type { HttpDaemon } from "./http-daemon.js";
export type { FleetAnswer, HttpFleet, HttpMachine } from "./http-fleet.js";
export { loadSession, NO_ANSWERS, released, withOpenSession } from "./loaded-session.js";
export type { NewSessionOptions, ServedDaemon } from "./served-daemon.js";
export { pageOf } from "./served-fleet.js";
