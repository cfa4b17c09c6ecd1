/** The server that `local-daemon serve --http` runs. Node only. */
export { type LocalDaemonServer, type ServeLocalDaemonOptions, serveLocalDaemon } from "./serve/index.js";
