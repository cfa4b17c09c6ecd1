import { InvalidOptionError, LIMITS, type Logger, newId, silentLogger } from "@daemon-sdk/protocol";
import type { HelloPayload } from "@daemon-sdk/protocol/relay";
import { dialBytes } from "@daemon-sdk/transport-ws";
import type { RelayDial, RelayDialRequest, RelayPlatform } from "./relay-platform.js";

/** The fields of HELLO about this client, beside the name. Others see them in lists and in AGENT_READY. */
export type RelayIdentity = Pick<
  HelloPayload,
  "cli" | "program" | "model" | "task" | "workingDirectory" | "team" | "displayName" | "avatarUrl"
>;

/** Options of `RelayClient`. */
export interface RelayClientOptions extends RelayIdentity {
  /**
   * The name to which others send; case-sensitive. Default in Node: `RELAY_AGENT_NAME`, which the daemon sets for a spawned
   * agent.
   */
  readonly agentName?: string;
  /** Default `agent`. A user may have many connections of one name, each of which gets every message. */
  readonly entityType?: "agent" | "user";
  /** Unix socket of the daemon. Default in Node: `RELAY_SOCKET`, else the local daemon, which is found or started. */
  readonly socketPath?: string;
  /** `ws:` or `wss:` address, with the path (`/relay`). In a browser this or `dial` is required. */
  readonly url?: string;
  /** Opens links instead of `socketPath` and `url`. */
  readonly dial?: RelayDial;
  /** The credential of a page over TCP. A ticket is good for one connection, so this is called for each. */
  readonly ticket?: () => string | Promise<string>;
  /**
   * A secret of 16 to 256 characters, random and kept by your program: with it the program has its name and its mail again after
   * a restart. Default in Node: `RELAY_PROCESS_CREDENTIAL`, which a spawned agent has, else a new one for this process.
   */
  readonly processCredential?: string;
  /** Whether to reconnect after a loss; default true. Pauses: `LIMITS.reconnectDelaysMs`. */
  readonly reconnect?: boolean;
  /** Failed attempts to reconnect, in a row, after which the client ends. Default: no bound. */
  readonly maxReconnectAttempts?: number;
  /** One attempt, from the socket to WELCOME; default 5 s. */
  readonly connectTimeoutMs?: number;
  /**
   * Requests receipts where the daemon offers them; default true. Without receipts, `send` resolves as `sent` once the bytes have
   * left this process.
   */
  readonly receipts?: boolean;
  /** Messages that may wait for a connection; default 10 000 … */
  readonly maxQueued?: number;
  /** … and their bytes; default 8 MiB. Past either, `send` rejects with QUEUE_FULL. */
  readonly maxQueuedBytes?: number;
  /**
   * Bytes of messages that wait for the consumer of `messages()`; default 64 MiB. Messages past the bound wait for redelivery.
   */
  readonly maxBufferedBytes?: number;
  /** Default: no log is written. Bodies are never logged. */
  readonly logger?: Logger;
}

/** The options with their defaults. */
export interface RelaySettings {
  readonly name: string;
  readonly entityType: "agent" | "user";
  readonly identity: RelayIdentity;
  readonly dial: RelayDial;
  readonly processCredential: string;
  readonly maxAttempts: number;
  readonly connectTimeoutMs: number;
  readonly wantsReceipts: boolean;
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  readonly maxBufferedBytes: number;
  readonly logger: Logger;
}

/** Checks the options and adds the defaults. @throws InvalidOptionError */
export function relaySettings(options: RelayClientOptions, platform: RelayPlatform): RelaySettings {
  const name = options.agentName ?? platform.environment("RELAY_AGENT_NAME");
  if (name === undefined || name === "") throw new InvalidOptionError("agentName", "a name", name);
  const { entityType = "agent", reconnect = true } = options;
  if (entityType !== "agent" && entityType !== "user") throw new InvalidOptionError("entityType", "`agent` or `user`");
  return {
    name,
    entityType,
    identity: identityOf(options),
    dial: dialOf(options, platform),
    processCredential: credentialOf(options, platform),
    maxAttempts: reconnect ? count("maxReconnectAttempts", options, Number.POSITIVE_INFINITY) : 0,
    connectTimeoutMs: count("connectTimeoutMs", options, LIMITS.relayConnectMs),
    wantsReceipts: options.receipts ?? true,
    maxQueued: count("maxQueued", options, LIMITS.relayOutboxMessages),
    maxQueuedBytes: count("maxQueuedBytes", options, LIMITS.relayOutboxBytes),
    maxBufferedBytes: count("maxBufferedBytes", options, LIMITS.streamBufferBytes),
    logger: options.logger ?? silentLogger,
  };
}

/** Shown with every HELLO of this process that is given no other. */
const PROCESS_CREDENTIAL = newId();

function credentialOf({ processCredential }: RelayClientOptions, platform: RelayPlatform): string {
  const credential = processCredential ?? platform.environment("RELAY_PROCESS_CREDENTIAL") ?? PROCESS_CREDENTIAL;
  const [least, most] = LIMITS.relayCredentialUnits;
  if (credential.length >= least && credential.length <= most) return credential;
  // The value is a secret, so the error does not repeat it.
  throw new InvalidOptionError("processCredential", `a text of ${least} to ${most} characters`);
}

type CountOption = "maxReconnectAttempts" | "connectTimeoutMs" | "maxQueued" | "maxQueuedBytes" | "maxBufferedBytes";

function count(option: CountOption, options: RelayClientOptions, fallback: number): number {
  const value = options[option] ?? fallback;
  if (typeof value === "number" && value >= 0) return value;
  throw new InvalidOptionError(option, "a number of at least 0", value);
}

const IDENTITY_KEYS = [
  "cli",
  "program",
  "model",
  "task",
  "workingDirectory",
  "team",
  "displayName",
  "avatarUrl",
] as const satisfies readonly (keyof RelayIdentity)[];

function identityOf(options: RelayClientOptions): RelayIdentity {
  const identity: RelayIdentity = {};
  for (const key of IDENTITY_KEYS) {
    const value = options[key];
    if (value !== undefined) identity[key] = value;
  }
  return identity;
}

function dialOf({ dial, url, socketPath, ticket }: RelayClientOptions, platform: RelayPlatform): RelayDial {
  const given = [dial, url, socketPath].filter((address) => address !== undefined).length;
  if (given > 1) throw new InvalidOptionError("socketPath", "the only one of `socketPath`, `url` and `dial`");
  const open = dial ?? (url === undefined ? socketDial(socketPath, platform) : urlDial(url));
  if (ticket === undefined) return open;
  return async (request) => ({ credential: { ticket: await ticket() }, ...(await open(request)) });
}

function urlDial(url: string): RelayDial {
  return async (request) => ({ link: await dialBytes(url, request) });
}

function socketDial(socketPath: string | undefined, platform: RelayPlatform): RelayDial {
  const path = socketPath ?? platform.environment("RELAY_SOCKET");
  return async (request: RelayDialRequest) => {
    const found = path ?? (await platform.findLocalDaemon(request.signal));
    return { link: await platform.dialSocket(found, request) };
  };
}
