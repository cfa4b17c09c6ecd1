import {
  abortReason,
  CLIENT_LIMITS,
  DaemonError,
  type Logger,
  type ProtocolEngine,
  silentLogger,
} from "@daemon-sdk/protocol";
import { type AuthenticatedLink, openAuthenticatedLink } from "./authenticated-link.js";
import { pause, systemClock } from "./clock.js";
import { ConnectionLifecycle } from "./connection-lifecycle.js";
import { DaemonConnection } from "./daemon-connection.js";
import { given } from "./given.js";
import { LinkKeeper, type LinkKeeperOptions } from "./link-keeper.js";
import { SharedTransportMultiplexer } from "./multiplexer.js";
import type { DialManner, Platform } from "./open-link.js";
import { type ConnectDaemonOptions, checkConnectOptions, heartbeatTimes, reconnectPolicy } from "./options.js";
import { StatusEvents } from "./status-events.js";

/** Connects to a daemon and authenticates; see `connectDaemon` of the entry points. */
export type ConnectDaemon = (options?: ConnectDaemonOptions) => Promise<DaemonConnection>;

/** One `connectDaemon` call on its way: its options, and what outlives a failed attempt. */
interface Context {
  readonly options: ConnectDaemonOptions;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly onError: (error: Error) => void;
  readonly status: StatusEvents;
  readonly lifecycle: ConnectionLifecycle;
}

/** Makes the `connectDaemon` of one platform. */
export function createConnectDaemon(platform: Platform): ConnectDaemon {
  return async (options = {}) => {
    checkConnectOptions(options);
    const logger = options.logger ?? silentLogger;
    const onError = options.onError ?? ((error: Error) => logger.error({ error }, error.message));
    const status = new StatusEvents(options.onStatus, onError);
    const lifecycle = new ConnectionLifecycle(status, logger);
    return connectWithRetries({ options, platform, logger, onError, status, lifecycle });
  };
}

/** Repeats connect and authenticate as a whole, with a fixed pause (session spec §2.3), for errors that it can mend. */
async function connectWithRetries(context: Context): Promise<DaemonConnection> {
  const { lifecycle, logger } = context;
  const { maxRetries = 0, signal } = context.options;
  for (let attempt = 0; ; attempt += 1) {
    lifecycle.step(attempt === 0 ? "dial" : "retry");
    try {
      if (signal?.aborted === true) throw abortReason(signal);
      return await connectOnce(context);
    } catch (error) {
      lifecycle.step("failed");
      const canRetry = DaemonError.is(error) && error.retryable && signal?.aborted !== true;
      if (attempt >= maxRetries || !canRetry) {
        lifecycle.step("close");
        throw error;
      }
      logger.info({ attempt: attempt + 1, error }, "Connecting failed; trying again");
      await pause(systemClock, CLIENT_LIMITS.connectRetryMs, signal).catch((reason: unknown) => {
        lifecycle.step("close");
        throw reason;
      });
    }
  }
}

async function connectOnce(context: Context): Promise<DaemonConnection> {
  const { options, logger, lifecycle } = context;
  let link: AuthenticatedLink | undefined;
  const multiplexer = new SharedTransportMultiplexer(undefined, {
    logger,
    isInboxOffered: () => link?.identity.capabilities.inbox === true,
    ...given({ clock: options.clock }),
  });
  const open = async (manner: DialManner) => {
    const onOpened = (engine: ProtocolEngine) => {
      multiplexer.listen(engine);
      lifecycle.step("opened");
    };
    link = await openAuthenticatedLink(options, context.platform, logger, { ...manner, onOpened });
    return link;
  };
  return connected(context, multiplexer, await open({ signal: options.signal }), open);
}

function connected(
  { options, logger, onError, status, lifecycle }: Context,
  multiplexer: SharedTransportMultiplexer,
  link: AuthenticatedLink,
  open: (manner: DialManner) => Promise<AuthenticatedLink>,
): DaemonConnection {
  const keeperOptions: LinkKeeperOptions = {
    multiplexer,
    lifecycle,
    status,
    logger,
    clock: options.clock,
    reconnect: reconnectPolicy(options),
    heartbeat: heartbeatTimes(options),
    open: (request) => open({ ...request, isOnce: true }),
  };
  const keeper = new LinkKeeper(keeperOptions, link);
  const connection = new DaemonConnection({
    multiplexer,
    keeper,
    lifecycle,
    status,
    handlers: options,
    clock: options.clock,
    onError,
    logger,
  });
  lifecycle.step("accepted");
  keeper.start();
  return connection;
}
