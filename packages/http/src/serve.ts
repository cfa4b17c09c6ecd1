/** The servers that `local-daemon serve --http` runs. Node only. */
export {
  type KeyServerOptions,
  type LocalDaemonServer,
  type ServeFleetOptions,
  type ServeLocalDaemonOptions,
  serveFleet,
  serveLocalDaemon,
} from "./serve/index.js";
