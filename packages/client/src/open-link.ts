import {
  type AuthenticateParams,
  ConnectionError,
  type ConnectLocalOptions,
  type Dial,
  type LocalDaemonEndpoint,
  type LocalLink,
  type Logger,
  MachineType,
  type Transport,
} from "@daemon-sdk/protocol";
import { dialWebSocket, dialWithRetry, RETRY_SCHEDULES } from "@daemon-sdk/transport-ws";
import { checkText } from "./option-checks.js";
import type { ConnectDaemonOptions } from "./options.js";
import { resolveWebSocketUrl } from "./resolve-url.js";

/** What `@daemon-sdk/local-daemon` is to a client. */
export interface LocalDaemonDoor {
  /** Finds or starts the local daemon and opens a proven link to it. */
  connectLocal(options?: ConnectLocalOptions): Promise<LocalLink>;
}

/** What differs between Node and a browser; each entry point brings its own. */
export interface Platform {
  /** Loads the optional package for local daemons; rejects with LOCAL_DAEMON_UNAVAILABLE where it cannot be had. */
  loadLocalDaemon(): Promise<LocalDaemonDoor>;
  /** The environment's `FACTORY_API_KEY`, trimmed; undefined when there is none (session spec §3.4). */
  environmentApiKey(): string | undefined;
}

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

/**
 * Opens the link the options ask for. Rejects with AUTH_MISSING before anything is sent when no credential can be had for it.
 *
 * A local daemon goes through the optional package, which makes the daemon prove itself first; everything else is a URL.
 */
export async function openLink(
  options: ConnectDaemonOptions,
  platform: Platform,
  logger: Logger,
  manner: DialManner,
): Promise<OpenLink> {
  const given = await givenCredential(options);
  if (isLocalDoor(options, given)) return openLocal(options, platform, given, manner);
  if (given === undefined) throw noCredential("Pass `apiKey`, `token` or `ticket`");
  const { signal, isOnce } = manner;
  const url = resolveWebSocketUrl(options);
  const dial: Dial = options.transport ?? (({ url, signal }) => dialWebSocket(url, { signal }));
  const usual = RETRY_SCHEDULES[options.machine?.type ?? MachineType.Local];
  const schedule = isOnce === true ? { ...usual, retries: 0 } : usual;
  const transport = await dialWithRetry((attempt) => dial({ url, signal: attempt }), schedule, {
    ...(signal === undefined ? {} : { signal }),
    onRetry: ({ attempt, error, delayMs }) =>
      logger.info({ attempt, error, delayMs }, "Connecting failed; trying again"),
  });
  return { transport, credential: given };
}

/**
 * A port with a credential of the caller's own is an address like any other: a plain daemon cannot prove itself, and the caller
 * chose to trust it.
 */
function isLocalDoor(
  { url, transport, machine, daemonPort }: ConnectDaemonOptions,
  given: Credential | undefined,
): boolean {
  if (url !== undefined || transport !== undefined) return false;
  if (machine !== undefined && machine.type !== MachineType.Local) return false;
  return daemonPort === undefined || given === undefined;
}

async function openLocal(
  { daemonPort }: ConnectDaemonOptions,
  platform: Platform,
  given: Credential | undefined,
  { signal, start }: DialManner,
): Promise<OpenLink> {
  const door = await platform.loadLocalDaemon();
  const link = await door.connectLocal({
    ...(signal === undefined ? {} : { signal }),
    ...(daemonPort === undefined ? {} : { daemonPort }),
    ...(start === false ? { start } : {}),
  });
  const credential = given ?? localCredential(link, platform);
  if (credential !== undefined) return { transport: link.transport, credential, endpoint: link.endpoint };
  link.transport.close();
  throw noCredential("Set FACTORY_API_KEY, or pass `apiKey` or `token`: a plain droid daemon needs one");
}

function localCredential({ credential, endpoint }: LocalLink, platform: Platform): Credential | undefined {
  if (Object.keys(credential).length > 0) return credential;
  const apiKey = endpoint.kind === "droid" ? platform.environmentApiKey() : undefined;
  return apiKey === undefined ? undefined : { apiKey };
}

async function givenCredential({ apiKey, token, ticket }: ConnectDaemonOptions): Promise<Credential | undefined> {
  if (ticket !== undefined) return { ticket: typeof ticket === "string" ? ticket : await freshTicket(ticket) };
  if (apiKey === undefined && token === undefined) return undefined;
  return { ...(apiKey === undefined ? {} : { apiKey }), ...(token === undefined ? {} : { token }) };
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

function noCredential(advice: string): ConnectionError {
  return new ConnectionError("AUTH_MISSING", `No credential for the daemon. ${advice}. Nothing was sent.`);
}
