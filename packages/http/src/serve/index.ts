export type { KeyServerOptions, LocalDaemonServer } from "./http-server.js";
export { type ServeFleetOptions, serveFleet } from "./serve-fleet.js";
export { type ServeLocalDaemonOptions, serveLocalDaemon } from "./serve-local-daemon.js";
