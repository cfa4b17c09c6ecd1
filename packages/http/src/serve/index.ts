export { type LocalDaemonServer, type ServeLocalDaemonOptions, serveLocalDaemon } from "./serve-local-daemon.js";
