import type { Logger } from "@daemon-sdk/protocol";
import {
  type ConnectDaemonOptions,
  type ConnectionLifecycle,
  heartbeatTimes,
  reconnectPolicy,
  type SharedTransportMultiplexer,
  type StatusEvents,
} from "../connection/index.js";
import type { AuthenticatedLink } from "../link/index.js";
import { DaemonConnection } from "./daemon-connection.js";
import { LinkKeeper, type LinkRequest } from "./link-keeper.js";

/** What `connectDaemon` has at hand when its first link is authenticated. */
export interface NewConnection {
  readonly options: ConnectDaemonOptions;
  readonly multiplexer: SharedTransportMultiplexer;
  readonly lifecycle: ConnectionLifecycle;
  readonly status: StatusEvents;
  readonly logger: Logger;
  readonly onError: (error: Error) => void;
  /** Makes a link anew: endpoint and credential are looked up again. */
  open(request: LinkRequest): Promise<AuthenticatedLink>;
}

/** See {@link keepConnection}. */
export type KeepConnection = (parts: NewConnection, link: AuthenticatedLink) => DaemonConnection;

/**
 * Makes the connection of an authenticated link, and keeps it linked from now on.
 *
 * All of sessions, streams and coming back hangs on this function, and nothing of what makes a link does: so a page can dial and
 * authenticate while it still loads this half of the client.
 */
export const keepConnection: KeepConnection = ({ options, open, ...parts }, link) => {
  const { clock } = options;
  const keeper = new LinkKeeper(
    { ...parts, open, clock, reconnect: reconnectPolicy(options), heartbeat: heartbeatTimes(options) },
    link,
  );
  const connection = new DaemonConnection({ ...parts, keeper, clock, handlers: options });
  parts.lifecycle.step("accepted");
  keeper.start();
  return connection;
};
