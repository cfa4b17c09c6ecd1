import type { FleetMoves, ReplicaSource, Transport } from "@daemon-sdk/protocol";
import type { FleetRelay } from "@daemon-sdk/protocol/relay";
import type { Principal } from "./access/index.js";
import type { DaemonConfig } from "./config.js";
import type { ReloadReport } from "./config-reload.js";
import type { FleetForConsole } from "./console/index.js";

/** Where a daemon can be reached, and which one it is. */
export interface DaemonEndpoint {
  readonly socketPath?: string;
  /** On 127.0.0.1; absent unless it was asked for. */
  readonly port?: number;
  readonly pid: number;
  /** Names this start of the daemon. */
  readonly instanceId: string;
  readonly version: string;
}

/** A running daemon. */
export interface Daemon {
  readonly endpoint: DaemonEndpoint;
  /** What of the relay spans a fleet: `joinFleet` uses it. Undefined without a state directory and a port: then there is no relay. */
  readonly relay: FleetRelay | undefined;
  /** Its part in moves of sessions between machines: `joinFleet` uses it. */
  readonly moves: FleetMoves;
  /** What a replica of its sessions is made of: `joinFleet` uses it. */
  readonly replica: ReplicaSource;
  /** Resolves when it has ended, and nothing of it holds the process. */
  readonly closed: Promise<void>;
  /**
   * Serves the session wire on a link that this program opened itself: over a socket of its own, or within the process. Bounds,
   * deadlines and the end are those of every other connection.
   *
   * With a principal its peer is authenticated from the first message on and acts for that principal, whatever credential it
   * sends; so this program must have checked who the peer is. Without one the peer authenticates, as it would at the socket.
   *
   * Resolves when the link is served. Rejects with an `InvalidOptionError`, or with `QUEUE_FULL` when the principal's key has as
   * many connections as it may have; the transport is untouched then. A daemon that stops closes the link with 1001.
   */
  accept(transport: Transport, principal?: Principal): Promise<void>;
  /**
   * Shows the machines of this fleet in the daemon's console from now on; undefined: this machine only, as at the start. Whoever opens the
   * console as the person may then do on each machine what the fleet's credentials may do there. A key's console shows no fleet.
   *
   * The fleet stays the caller's, who closes it.
   */
  showFleet(fleet: FleetForConsole | undefined): void;
  /**
   * Ends it: nothing new is accepted, running turns may finish for `drainMs` (default `limits.drainMs`), then they are
   * interrupted; agents are stopped, clients closed with 1001, the state directory is free for the next daemon.
   * A second call with a shorter time cuts the first one short.
   */
  close(options?: { drainMs?: number }): Promise<void>;
  /**
   * Takes over another configuration: agents, keys with their policies, limits of sessions and agents. No session ends. A running
   * agent keeps what it was started with. Connections of keys that are gone are closed. Rejects with an `InvalidOptionError`, and
   * changes nothing, for a faulty configuration. Waits for the login shell when the configuration names an agent that is not known.
   *
   * @param config the whole configuration; what is absent has its default again
   */
  reload(config: DaemonConfig): Promise<ReloadReport>;
}
