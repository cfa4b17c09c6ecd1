import { type ConnectionStatus, connectDaemon, type DaemonConnection, DaemonError } from "@daemon-sdk/client";
import type { Access } from "./access.js";

/** What a page is notified of while it connects, and later. */
export interface ConnectionEvents {
  onStatus(status: ConnectionStatus): void;
  /** This tab has no access any more, so no further attempt can succeed. */
  onRefused(): void;
}

/**
 * Connects this page to the daemon that served it, or through that daemon to another machine of its fleet. A lost link is made again,
 * with a ticket of its own.
 */
export function openConnection(
  access: Access,
  events: ConnectionEvents,
  machineId?: string,
): Promise<DaemonConnection> {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const path = machineId === undefined ? "" : `/console/machines/${encodeURIComponent(machineId)}`;
  return connectDaemon({
    url: `${scheme}//${location.host}${path}`,
    // The client takes every failure of this for one that may pass.
    ticket: () =>
      access.ticket().catch((error: unknown) => {
        if (DaemonError.is(error, "AUTH_REJECTED")) events.onRefused();
        throw error;
      }),
    onStatus: (status) => events.onStatus(status),
    // A tab that is left open overnight finds its daemon again.
    reconnect: { maxElapsedMs: 12 * 60 * 60 * 1_000 },
  });
}
