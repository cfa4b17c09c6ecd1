import { ConnectionError } from "@daemon-sdk/protocol";
import type { KeepConnection } from "../api/index.js";
import { type ConnectDaemon, createConnectDaemon } from "./connect-daemon.js";

/**
 * Connects to a daemon and authenticates, from a web page: with `url` (or a `machine` that is not local, or a `daemonPort`) and
 * `apiKey` or `token`. A page can neither find nor start a local daemon, nor check a daemon's proof.
 */
export const connectDaemon: ConnectDaemon = createConnectDaemon({
  loadKeeper,
  openLocal: () =>
    Promise.reject(new ConnectionError("LOCAL_DAEMON_UNAVAILABLE", "A page cannot find a local daemon. Pass `url`.")),
});

/**
 * A page first loads the half of the client that connects. The other half is loaded during the dial, before `connectDaemon`
 * resolves.
 */
async function loadKeeper(): Promise<KeepConnection> {
  try {
    return (await import("../api/index.js")).keepConnection;
  } catch (cause) {
    const text = "The client cannot be loaded. Reload the page.";
    throw new ConnectionError("CONNECTION_FAILED", text, { cause });
  }
}
