export { type DaemonSource, daemonOf, type HttpDaemon } from "./http-daemon.js";
export { loadSession, NO_ANSWERS, released, withOpenSession } from "./loaded-session.js";
