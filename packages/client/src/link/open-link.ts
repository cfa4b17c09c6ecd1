import {
  type Dial,
  type LocalDaemonEndpoint,
  type Logger,
  MachineType,
  type Transport,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import { dialWebSocket, dialWithRetry, RETRY_SCHEDULES } from "@daemon-sdk/transport-ws";
import type { ConnectDaemonOptions } from "../connection/index.js";
import { type Credential, givenCredential, noCredential } from "./credential.js";
import { resolveWebSocketUrl } from "./resolve-url.js";

/** An open link, and the credential to authenticate with on it. */
export interface OpenLink {
  readonly transport: Transport;
  readonly credential: Credential;
  readonly endpoint?: LocalDaemonEndpoint;
}

/** How one link is opened, in addition to the options of the connection. */
export interface DialManner {
  readonly signal?: AbortSignal | undefined;
  /**
   * Dials once, because the caller has a retry policy. Default: repeats the dial as `RETRY_SCHEDULES` states for the machine's
   * type.
   */
  readonly isOnce?: boolean;
  /** Whether a local daemon may be started. Default true. */
  readonly start?: boolean;
}

/** What differs between Node and a browser; each entry point has its own. */
export interface Platform {
  /**
   * Opens a link to the daemon on this machine. Rejects with LOCAL_DAEMON_UNAVAILABLE where it cannot be reached, with
   * AUTH_MISSING where neither the caller nor the machine has a credential for it.
   */
  openLocal(options: ConnectDaemonOptions, manner: DialManner, credential: Credential | undefined): Promise<OpenLink>;
}

/**
 * Opens the link that the options describe. Rejects with AUTH_MISSING, before anything is sent, when there is no credential for
 * it.
 *
 * A link to the local daemon is opened by the platform; every other one is dialed by its URL.
 */
export async function openLink(
  options: ConnectDaemonOptions,
  platform: Platform,
  logger: Logger,
  manner: DialManner,
): Promise<OpenLink> {
  const credential = await givenCredential(options);
  if (isLocalDaemon(options, credential)) return platform.openLocal(options, manner, credential);
  if (credential === undefined) throw noCredential("Pass `apiKey`, `token` or `ticket`");
  const { signal, isOnce } = manner;
  const url = resolveWebSocketUrl(options);
  const { agent, ca } = options;
  const dial: Dial = options.transport ?? (({ url, signal }) => dialWebSocket(url, { signal, agent, ca }));
  const usual = RETRY_SCHEDULES[options.machine?.type ?? MachineType.Local];
  const schedule = isOnce === true ? { ...usual, retries: 0 } : usual;
  const transport = await dialWithRetry((attempt) => dial({ url, signal: attempt }), schedule, {
    ...withoutUndefined({ signal }),
    onRetry: ({ attempt, error, delayMs }) =>
      logger.info({ attempt, error, delayMs }, "Connecting failed; trying again"),
  });
  return { transport, credential };
}

/**
 * Whether the platform opens the link. A port with a credential of the caller's own is an address like any other: a plain daemon
 * cannot prove itself, and the caller chose to trust it.
 */
function isLocalDaemon(
  { url, transport, machine, daemonPort }: ConnectDaemonOptions,
  credential: Credential | undefined,
): boolean {
  if (url !== undefined || transport !== undefined) return false;
  if (machine !== undefined && machine.type !== MachineType.Local) return false;
  return daemonPort === undefined || credential === undefined;
}
