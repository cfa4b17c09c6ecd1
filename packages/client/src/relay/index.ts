import { ConnectionError } from "@daemon-sdk/protocol";
import type { RelayClientOptions, RelayPlatform } from "./connection/index.js";
import { RelayAgent } from "./relay-agent.js";
import { dialUnixSocket } from "./unix-link.js";

export * from "./public-api.js";

const NODE: RelayPlatform = {
  soon: (callback) => void setImmediate(callback),
  dialSocket: dialUnixSocket,
  findLocalDaemon,
  environment: (name) => process.env[name],
};

/**
 * {@link RelayAgent} in Node: over the daemon's unix socket, or over WebSocket with `url`.
 *
 * Without either, the socket is `RELAY_SOCKET`, which the daemon sets for a spawned agent. Without that, the local daemon is
 * found or started (needs `@daemon-sdk/local-daemon`).
 */
export class RelayClient extends RelayAgent {
  constructor(options: RelayClientOptions = {}) {
    super(options, NODE);
  }
}

async function findLocalDaemon(signal: AbortSignal): Promise<string> {
  const { ensureLocalDaemon } = await import("@daemon-sdk/local-daemon").catch((cause: unknown) => {
    const message =
      "There is no `socketPath`, and the package @daemon-sdk/local-daemon, which finds the socket, is not installed.";
    throw new ConnectionError("LOCAL_DAEMON_UNAVAILABLE", `${message} Install it, or pass \`socketPath\`.`, { cause });
  });
  const { url } = await ensureLocalDaemon({ signal });
  const match = /^ws\+unix:\/\/(.+):\/$/.exec(url);
  if (match?.[1] !== undefined) return decodeURIComponent(match[1]);
  throw new ConnectionError("LOCAL_DAEMON_UNAVAILABLE", "The local daemon is a plain daemon, which has no relay.");
}
