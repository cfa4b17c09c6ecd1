import {
  abortReason,
  CLIENT_LIMITS,
  type ConnectionError,
  DaemonError,
  type Logger,
  MachineType,
  ProtocolEngine,
  silentLogger,
} from "@daemon-sdk/protocol";
import { authenticate } from "./authenticate.js";
import { ConnectionLifecycle } from "./connection-lifecycle.js";
import { DaemonConnection, type DaemonIdentity } from "./daemon-connection.js";
import { SharedTransportMultiplexer } from "./multiplexer.js";
import { type OpenLink, openLink, type Platform } from "./open-link.js";
import { type ConnectDaemonOptions, checkConnectOptions } from "./options.js";
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
      logger.info({ attempt: attempt + 1, error }, "Connecting and authenticating failed; trying again");
      await pause(CLIENT_LIMITS.connectRetryMs, signal).catch((reason: unknown) => {
        lifecycle.step("close");
        throw reason;
      });
    }
  }
}

async function connectOnce(context: Context): Promise<DaemonConnection> {
  const { options, platform, logger, lifecycle } = context;
  const link = await openLink(options, platform, logger);
  lifecycle.step("opened");
  const engine = new ProtocolEngine(link.transport, { prefix: "daemon", logger });
  let ended: ConnectionError | undefined;
  engine.onClose = (error) => {
    ended = error;
  };
  let identity: DaemonIdentity | undefined;
  const multiplexer = new SharedTransportMultiplexer(engine, {
    logger,
    isInboxOffered: () => identity?.capabilities.inbox === true,
  });
  try {
    identity = await authenticate(engine, handshakeOptions(options, link));
    // The link may have ended between the answer and this line.
    if (ended !== undefined) throw ended;
  } catch (error) {
    engine.close();
    throw error;
  }
  return connected(context, multiplexer, identity, sessionToken(link));
}

function connected(
  { options, logger, onError, status, lifecycle }: Context,
  multiplexer: SharedTransportMultiplexer,
  identity: DaemonIdentity,
  token: string,
): DaemonConnection {
  const parts = { multiplexer, lifecycle, status, identity, token, handlers: options, onError, logger };
  const connection = new DaemonConnection(parts);
  lifecycle.step("accepted");
  return connection;
}

function handshakeOptions({ machine, signal }: ConnectDaemonOptions, { credential, endpoint }: OpenLink) {
  return {
    credential,
    machineType: machine?.type ?? MachineType.Local,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** `token` of the session calls (session spec §3.3): required on the wire, so a link authenticated by proof sends a word. */
function sessionToken({ credential }: OpenLink): string {
  return credential.apiKey ?? credential.token ?? "local";
}

/** Waits, or rejects as soon as `signal` is aborted. */
function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(abortReason(signal as AbortSignal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
