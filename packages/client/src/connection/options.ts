import {
  CLIENT_LIMITS,
  type Clock,
  type Dial,
  InvalidOptionError,
  type Logger,
  MachineType,
  type SDKMachineConfig,
} from "@daemon-sdk/protocol";
import type { HttpAgent } from "@daemon-sdk/transport-ws";
import {
  checkFunction,
  checkInteger,
  checkOneOf,
  checkSignal,
  checkText,
  type Handlers,
  requireObject,
} from "../base/index.js";
import type { ConnectionStatus } from "./status-events.js";

/** Options of `connectDaemon`. Those of the original SDK keep their names. */
export interface ConnectDaemonOptions extends Handlers {
  /** The machine whose daemon is used. Default: this machine, on which a daemon is started when none runs. */
  machine?: SDKMachineConfig;
  /** Address of the daemon: `ws:`, `wss:` or `ws+unix:`. Takes precedence over `machine`, and no daemon is started. */
  url?: string;
  /** API key (`fk-…`). Sent in `daemon.authenticate` and as `token` of the session calls, never in a URL. */
  apiKey?: string;
  /** Access token, instead of or beside `apiKey`. */
  token?: string;
  /**
   * One-time credential for web pages, which must hold no lasting one; made by `connection.createTicket()` in another program. A
   * ticket is valid for one link. To reconnect, a page needs a function that fetches a new ticket. It is called before each
   * attempt.
   */
  ticket?: string | (() => string | Promise<string>);
  /**
   * How often connecting **and** authenticating are repeated as a whole, 2 s apart; not after a refused credential. Default 0.
   */
  maxRetries?: number;
  /** TCP port of a local or ephemeral daemon. For a local one it means 127.0.0.1 instead of the unix socket. */
  daemonPort?: number;
  /**
   * Path of the file `dist/daemon.cjs` of `@daemon-sdk/local-daemon`, to start the local daemon from where a bundler left that package
   * elsewhere. Default: `DAEMON_SDK_PROGRAM` of the environment, else as Node finds the package.
   */
  daemonProgram?: string;
  /** Base URL of the service that `Computer` machines are reached through. Default `wss://relay.factory.ai`. */
  relayBaseUrl?: string;
  /**
   * Certificate of an authority in PEM that is trusted for a `wss:` address in place of the usual ones, such as the one that signed the
   * daemon's. In Node only: a page has those of its browser.
   */
  ca?: string;
  /** Opens each link, instead of a WebSocket; called with the resolved URL. */
  transport?: Dial;
  /**
   * Opens the sockets of `ws:` and `wss:`, as an `http.Agent` of Node or an `https.Agent`; for a proxy, certificates or addresses of your
   * own. Without effect on a unix socket and beside `transport`. Node only.
   *
   * Default for `wss:`: the proxy of `HTTPS_PROXY` or `ALL_PROXY`, except for this machine and the hosts of `NO_PROXY`. It needs the
   * package `https-proxy-agent`.
   */
  agent?: HttpAgent;
  /** Aborts connecting. Without effect on the connection once it is made, and on reconnecting. */
  signal?: AbortSignal;
  /** Default: no log is written. */
  logger?: Logger;
  /**
   * Called with each change of {@link ConnectionStatus}, the first `connected` included. `connection.status()` reports the same.
   */
  onStatus?: (status: ConnectionStatus) => void;
  /**
   * Called with failures that no call rejects with, such as a handler that threw (code HANDLER_FAILED). Default: the logger.
   */
  onError?: (error: Error) => void;
  /**
   * Whether a lost link is replaced by a new one; default true. Sessions are attached to the new link, streams continue, and
   * calls wait for the new link. `false`: the connection ends with its first link, with CONNECTION_LOST.
   */
  reconnect?: boolean | ReconnectOptions;
  /** How soon a dead link is detected; `false`: only when the transport reports its end. */
  heartbeat?: HeartbeatOptions | false;
  /** For tests: the clock of reconnect pauses, of time-outs of calls and of the heartbeat. Default: the computer's. */
  clock?: Clock;
}

/** When reconnecting fails. Both options count from the last loss of a link on which an entry of a session arrived. */
export interface ReconnectOptions {
  /**
   * Milliseconds after the loss; default `LIMITS.reconnectBudgetMs`, 5 minutes. Time in which the computer sleeps does not count.
   */
  maxElapsedMs?: number;
  /** Attempts in a row; default: no bound. */
  maxAttempts?: number;
}

/** How long a daemon may be silent before its link counts as dead. */
export interface HeartbeatOptions {
  /** Milliseconds without a frame after which the link is checked by a call; default `LIMITS.pingIntervalMs`, 15 s. */
  intervalMs?: number;
  /** Milliseconds without a frame after that until the link counts as dead; default `LIMITS.pingTimeoutMs`, 10 s. */
  timeoutMs?: number;
}

const URL_SCHEMES = ["ws:", "wss:", "ws+unix:"];
/** A label of a host name. The sandbox id becomes one. */
const HOST_LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;

/** Throws an `InvalidOptionError` for the first wrong option. */
export function checkConnectOptions(options: ConnectDaemonOptions): void {
  requireObject("options", options);
  checkUrl("url", options.url, options.transport === undefined ? URL_SCHEMES : undefined);
  checkMachine(options.machine);
  checkText("apiKey", options.apiKey);
  checkText("token", options.token);
  if (typeof options.ticket !== "function") checkText("ticket", options.ticket);
  checkInteger("maxRetries", options.maxRetries, 0);
  checkInteger("daemonPort", options.daemonPort, 1, 65_535);
  checkUrl("relayBaseUrl", options.relayBaseUrl, ["ws:", "wss:"]);
  checkText("ca", options.ca);
  checkFunction("transport", options.transport);
  checkSignal("signal", options.signal);
  checkLogger(options.logger);
  checkFunction("onStatus", options.onStatus);
  checkFunction("onError", options.onError);
  checkHandlers(options);
  checkTimes("reconnect", options.reconnect, ["maxElapsedMs", "maxAttempts"]);
  checkTimes("heartbeat", options.heartbeat, ["intervalMs", "timeoutMs"]);
  if (options.clock !== undefined && typeof requireObject("clock", options.clock).setTimer !== "function") {
    throw new InvalidOptionError("clock.setTimer", "a function", options.clock.setTimer);
  }
}

/** The `reconnect` option with its defaults; undefined when it is off. */
export function reconnectLimits({ reconnect = true }: ConnectDaemonOptions): Required<ReconnectOptions> | undefined {
  if (reconnect === false) return undefined;
  const { maxElapsedMs = CLIENT_LIMITS.reconnectBudgetMs, maxAttempts = Number.POSITIVE_INFINITY } = Object(reconnect);
  return { maxElapsedMs, maxAttempts };
}

/** The `heartbeat` option with its defaults; undefined when it is off. */
export function heartbeatTimes({ heartbeat = {} }: ConnectDaemonOptions): Required<HeartbeatOptions> | undefined {
  if (heartbeat === false) return undefined;
  const { intervalMs = CLIENT_LIMITS.pingIntervalMs, timeoutMs = CLIENT_LIMITS.pingTimeoutMs } = heartbeat;
  return { intervalMs, timeoutMs };
}

function checkTimes(option: string, value: unknown, names: readonly string[]): void {
  if (value === undefined || typeof value === "boolean") return;
  const times = requireObject(option, value, `a boolean or an object with ${names.join(" and ")}`);
  for (const name of names) checkInteger(`${option}.${name}`, times[name], 1);
}

/** Throws when a handler is set and is not a function. */
export function checkHandlers(options: Handlers): void {
  checkFunction("permissionHandler", options.permissionHandler);
  checkFunction("askUserHandler", options.askUserHandler);
}

function checkUrl(option: string, value: unknown, schemes: readonly string[] | undefined): void {
  if (value === undefined) return;
  checkText(option, value);
  if (schemes === undefined) return;
  if (!schemes.some((scheme) => (value as string).startsWith(`${scheme}//`) && URL.canParse(value as string))) {
    throw new InvalidOptionError(option, `a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(", ")}`);
  }
}

function checkMachine(machine: unknown): void {
  if (machine === undefined) return;
  const { type, computerId, sandboxId, workspaceId } = requireObject("machine", machine);
  // A machine without a type is none, and `checkOneOf` lets undefined pass.
  checkOneOf("machine.type", type ?? null, Object.values(MachineType));
  if (type === MachineType.Computer && (typeof computerId !== "string" || computerId === "")) {
    throw new InvalidOptionError("machine.computerId", "the id of a computer", computerId);
  }
  if (type === MachineType.Ephemeral && (typeof sandboxId !== "string" || !HOST_LABEL.test(sandboxId))) {
    throw new InvalidOptionError("machine.sandboxId", "the id of a sandbox: letters, digits and hyphens", sandboxId);
  }
  checkText("machine.workspaceId", workspaceId);
}

function checkLogger(logger: unknown): void {
  if (logger === undefined) return;
  const methods = requireObject("logger", logger, "an object with debug, info, warn and error");
  for (const name of ["debug", "info", "warn", "error"]) {
    if (typeof methods[name] !== "function")
      throw new InvalidOptionError(`logger.${name}`, "a function", methods[name]);
  }
}
