import { ConnectionError } from "@daemon-sdk/protocol";
import { type ConnectDaemon, createConnectDaemon } from "./connect-daemon.js";

export * from "./public-api.js";

/**
 * Connects to a daemon and authenticates, from a web page: with `url` (or a `machine` that is not local, or a `daemonPort`) and
 * `apiKey` or `token`. A page can neither find nor start a local daemon, nor check a daemon's proof.
 */
export const connectDaemon: ConnectDaemon = createConnectDaemon({
  openLocal: () =>
    Promise.reject(
      new ConnectionError(
        "LOCAL_DAEMON_UNAVAILABLE",
        "A web page cannot find the local daemon. Pass `url` or `daemonPort`, and `apiKey`, `token` or `ticket`.",
      ),
    ),
});
