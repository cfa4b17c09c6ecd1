import { CLIENT_LIMITS, DaemonError, type Logger, silentLogger, withoutUndefined } from "@daemon-sdk/protocol";
import type { DaemonConnection, KeptConnection } from "../api/index.js";
import { pause, systemClock } from "../base/index.js";
import { type ConnectDaemonOptions, checkConnectOptions } from "../connection/index.js";
import { Connector, type RetryPolicy } from "../link/index.js";
import type { ClientPlatform } from "./client-platform.js";

/** Connects to a daemon and authenticates; see `connectDaemon` of the entry points. */
export type ConnectDaemon = (options?: ConnectDaemonOptions) => Promise<DaemonConnection>;

/** Makes the `connectDaemon` of one platform. */
export function createConnectDaemon(platform: ClientPlatform): ConnectDaemon {
  return async (options = {}) => {
    checkConnectOptions(options);
    const logger = options.logger ?? silentLogger;
    const onError = options.onError ?? ((error: Error) => logger.error({ error }, error.message));
    const schemas = withoutUndefined({ loadJsonSchema: platform.loadJsonSchema });
    let kept: KeptConnection | undefined;
    const loadKeeper = async () => {
      kept ??= (await platform.loadKeeper())({ connector, options, logger, onError, ...schemas });
      return kept;
    };
    const connector = new Connector({ options, platform, logger, onError, loadKeeper });
    try {
      connector.multiplexer.calls.tracing = await platform.loadTracing?.();
      await connector.connect(firstLinkPolicy(options, logger));
    } catch (error) {
      connector.end(error as Error);
      throw error;
    }
    return (await loadKeeper()).connection;
  };
}

/**
 * Repeats connecting and authenticating as a whole, with a fixed pause (docs/wire/session.md#connect-and-retry), after retryable
 * errors.
 */
function firstLinkPolicy({ maxRetries = 0, signal }: ConnectDaemonOptions, logger: Logger): RetryPolicy {
  let retries = 0;
  return {
    signal,
    async wait(error) {
      if (retries >= maxRetries || !DaemonError.is(error) || !error.retryable) throw error;
      retries += 1;
      logger.info({ attempt: retries, error }, "Connecting failed; trying again");
      await pause(systemClock, CLIENT_LIMITS.connectRetryMs, signal);
    },
    stop() {},
  };
}
