import {
  type AuthenticateParams,
  ConnectionError,
  type Dial,
  type LocalDaemonEndpoint,
  type Logger,
  MachineType,
  type Transport,
} from "@daemon-sdk/protocol";
import { dialWebSocket, dialWithRetry, RETRY_SCHEDULES } from "@daemon-sdk/transport-ws";
import { given } from "./given.js";
import type { KeepConnection } from "./keep-connection.js";
import { checkText } from "./option-checks.js";
import type { ConnectDaemonOptions } from "./options.js";
import { resolveWebSocketUrl } from "./resolve-url.js";

/** Credential part of `daemon.authenticate`. */
export type Credential = Pick<AuthenticateParams, "apiKey" | "token" | "proof" | "ticket">;

/** An open link, and what to authenticate with on it. */
export interface OpenLink {
  readonly transport: Transport;
  readonly credential: Credential;
  readonly endpoint?: LocalDaemonEndpoint;
}

/** How a link is opened, beside what the options say. */
export interface DialManner {
  readonly signal?: AbortSignal | undefined;
  /** One attempt: whoever asks has a schedule of its own. Default: the attempts of the machine's kind. */
  readonly isOnce?: boolean;
  /** Whether a local daemon may be started. Default true. */
  readonly start?: boolean;
}

/** What differs between Node and a browser; each entry point brings its own. */
export interface Platform {
  /**
   * Opens a link to the daemon on this machine. Rejects with LOCAL_DAEMON_UNAVAILABLE where it cannot be reached, with AUTH_MISSING
   * where neither the caller nor the machine has a credential for it.
   */
  openLocal(options: ConnectDaemonOptions, manner: DialManner, credential: Credential | undefined): Promise<OpenLink>;
  /** The half of the client that an authenticated link is handed to; called when the first link begins to be made. */
  loadKeeper(): Promise<KeepConnection>;
}

/**
 * Opens the link the options ask for. Rejects with AUTH_MISSING before anything is sent when no credential can be had for it.
 *
 * The local daemon is the platform's affair; everything else is a URL.
 */
export async function openLink(
  options: ConnectDaemonOptions,
  platform: Platform,
  logger: Logger,
  manner: DialManner,
): Promise<OpenLink> {
  const credential = await givenCredential(options);
  if (isLocalDoor(options, credential)) return platform.openLocal(options, manner, credential);
  if (credential === undefined) throw noCredential("Pass `apiKey`, `token` or `ticket`");
  const { signal, isOnce } = manner;
  const url = resolveWebSocketUrl(options);
  const dial: Dial = options.transport ?? (({ url, signal }) => dialWebSocket(url, { signal }));
  const usual = RETRY_SCHEDULES[options.machine?.type ?? MachineType.Local];
  const schedule = isOnce === true ? { ...usual, retries: 0 } : usual;
  const transport = await dialWithRetry((attempt) => dial({ url, signal: attempt }), schedule, {
    ...given({ signal }),
    onRetry: ({ attempt, error, delayMs }) =>
      logger.info({ attempt, error, delayMs }, "Connecting failed; trying again"),
  });
  return { transport, credential };
}

/**
 * A port with a credential of the caller's own is an address like any other: a plain daemon cannot prove itself, and the caller
 * chose to trust it.
 */
function isLocalDoor(
  { url, transport, machine, daemonPort }: ConnectDaemonOptions,
  credential: Credential | undefined,
): boolean {
  if (url !== undefined || transport !== undefined) return false;
  if (machine !== undefined && machine.type !== MachineType.Local) return false;
  return daemonPort === undefined || credential === undefined;
}

async function givenCredential({ apiKey, token, ticket }: ConnectDaemonOptions): Promise<Credential | undefined> {
  if (ticket !== undefined) return { ticket: typeof ticket === "string" ? ticket : await freshTicket(ticket) };
  if (apiKey === undefined && token === undefined) return undefined;
  return given({ apiKey, token });
}

/** Its failures are worth another attempt, like any part of connecting: who hands out tickets may be restarting, too. */
async function freshTicket(fetchTicket: () => string | Promise<string>): Promise<string> {
  try {
    const ticket = await fetchTicket();
    checkText("ticket", ticket ?? "");
    return ticket;
  } catch (cause) {
    throw new ConnectionError("CONNECTION_FAILED", "The `ticket` function failed; nothing was sent.", { cause });
  }
}

/** No credential was given, or can be had; `advice` says where from. */
export function noCredential(advice: string): ConnectionError {
  return new ConnectionError("AUTH_MISSING", `No credential for the daemon. ${advice}. Nothing was sent.`);
}
