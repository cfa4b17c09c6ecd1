import { type ConnectionStatus, connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import type { Access } from "./access.js";

/** Connects this page to the daemon that served it. A lost link is made again, with a ticket of its own. */
export function openConnection(
  access: Access,
  onStatus: (status: ConnectionStatus) => void,
): Promise<DaemonConnection> {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return connectDaemon({
    url: `${scheme}//${location.host}`,
    ticket: () => access.ticket(),
    onStatus,
    // A tab that is left open overnight finds its daemon again.
    reconnect: { maxElapsedMs: 12 * 60 * 60 * 1_000 },
  });
}
