import {
  abortReason,
  CLIENT_LIMITS,
  DaemonError,
  type Logger,
  type ProtocolEngine,
  silentLogger,
} from "@daemon-sdk/protocol";
import type { DaemonConnection } from "../api/index.js";
import { given, pause, systemClock } from "../base/index.js";
import {
  type ConnectDaemonOptions,
  ConnectionLifecycle,
  checkConnectOptions,
  SharedTransportMultiplexer,
  StatusEvents,
} from "../connection/index.js";
import { type AuthenticatedLink, type DialManner, openAuthenticatedLink } from "../link/index.js";
import type { ClientPlatform } from "./client-platform.js";

/** Connects to a daemon and authenticates; see `connectDaemon` of the entry points. */
export type ConnectDaemon = (options?: ConnectDaemonOptions) => Promise<DaemonConnection>;

/** One `connectDaemon` call on its way: its options, and what outlives a failed attempt. */
interface Context {
  readonly options: ConnectDaemonOptions;
  readonly platform: ClientPlatform;
  readonly logger: Logger;
  readonly onError: (error: Error) => void;
  readonly status: StatusEvents;
  readonly lifecycle: ConnectionLifecycle;
}

/** Makes the `connectDaemon` of one platform. */
export function createConnectDaemon(platform: ClientPlatform): ConnectDaemon {
  return async (options = {}) => {
    checkConnectOptions(options);
    const logger = options.logger ?? silentLogger;
    const onError = options.onError ?? ((error: Error) => logger.error({ error }, error.message));
    const status = new StatusEvents(options.onStatus, onError);
    const lifecycle = new ConnectionLifecycle(status, logger);
    return connectWithRetries({ options, platform, logger, onError, status, lifecycle });
  };
}

/**
 * Repeats connect and authenticate as a whole, with a fixed pause (docs/wire/session.md#connect-and-retry), for errors
 * that it can mend.
 */
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

async function connectOnce({ platform, ...context }: Context): Promise<DaemonConnection> {
  const { options, logger, lifecycle } = context;
  // Beside the dial, so that nobody waits for it. What becomes of it is looked at once there is a link.
  const loading = platform.loadKeeper();
  loading.catch(() => {});
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
    link = await openAuthenticatedLink(options, platform, logger, { ...manner, onOpened });
    return link;
  };
  const { signal } = options;
  const first = await open({ signal });
  try {
    const keepConnection = await unlessAborted(loading, signal);
    return keepConnection({ ...context, multiplexer, open: (request) => open({ ...request, isOnce: true }) }, first);
  } catch (error) {
    first.terminate();
    throw error;
  }
}

/** Rejects with the signal's reason when that is aborted first. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
