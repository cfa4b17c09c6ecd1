import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { DaemonError, InvalidOptionError, type Logger } from "@daemon-sdk/protocol";
import { keyIdOf, type Principal } from "../access/index.js";
import type { ConfigFile } from "../config-file/index.js";
import { PROCESS_LIMITS } from "../limits/index.js";
import type { Daemon } from "../server.js";
import { ConsoleFleetConnection } from "./fleet-for-console.js";

/** How a daemon of the command line joins a fleet: `fleet` of its configuration file, or what `start` was given in its place. */
export interface FleetSettings {
  /** Addresses of NATS servers. */
  readonly servers: readonly string[];
  /** Default: the host's name. */
  readonly machineId?: string;
  readonly tenant?: string;
  /** Domain of the cluster's JetStream, for a machine behind a leaf. */
  readonly domain?: string;
  /** Path of a credentials file (`.creds`). */
  readonly credentialsFile?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly capacity?: number;
  /** Whether sessions are replicated to the servers, and the bounds of that. Default: false. */
  readonly replica?: boolean | { readonly maxBytes?: number; readonly maxAgeDays?: number };
  /** Names of services, and the name of the configured key that each acts for. Default: every service acts for the person. */
  readonly services?: Readonly<Record<string, string>>;
  /** With what the daemon's console reaches the other machines: a machine's own credentials may not dial. */
  readonly console?: {
    /** Path of the credentials file of a service. */
    readonly credentialsFile: string;
  };
}

/** Reads the keys of the configuration as they are now. */
export type ReadKeys = () => Promise<NonNullable<ConfigFile["apiKeys"]>>;

/** Keeps a daemon in its fleet until it has ended. */
export type KeepInFleet = (daemon: Daemon, logger: Logger) => void;

/**
 * Prepares a membership before the daemon starts, so that what can never work fails the start: the package `@daemon-sdk/fleet` is loaded,
 * and the credentials are read.
 *
 * A daemon whose NATS servers cannot be reached serves its local clients, and joins as soon as they can.
 */
export async function prepareMembership(settings: FleetSettings, readKeys: ReadKeys): Promise<KeepInFleet> {
  const { credentialsFile: path, machineId = hostName(), services, console, ...options } = settings;
  const principals = services === undefined ? {} : { principal: await principalsOf(services, readKeys) };
  const { joinFleet } = await loadFleet();
  const credentials = path === undefined ? {} : { credentials: await readCredentials("creds", path) };
  const forConsole =
    console === undefined ? {} : { credentials: await readCredentials("console-creds", console.credentialsFile) };
  return (daemon, logger) => {
    // Credentials of a machine may not dial, so without those of a service the console shows this machine.
    if (console !== undefined || path === undefined) {
      const shown = new ConsoleFleetConnection({ ...options, ...forConsole, machineId, logger });
      daemon.showFleet(shown);
      void daemon.closed.then(() => shown.close());
    }
    let isOver = false;
    void daemon.closed.then(() => {
      isOver = true;
    });
    void keep(
      () => joinFleet(daemon, { ...options, ...credentials, ...principals, machineId, logger }),
      () => isOver,
      logger,
    );
  };
}

type Membership = Awaited<ReturnType<typeof import("@daemon-sdk/fleet/machine")["joinFleet"]>>;

async function keep(join: () => Promise<Membership>, isOver: () => boolean, logger: Logger): Promise<void> {
  while (!isOver()) {
    try {
      const membership = await join();
      logger.info({ machineId: membership.machineId }, "the daemon is in its fleet");
      const error = await membership.closed;
      if (error !== undefined) throw error;
      return;
    } catch (error) {
      const { code, message, retryable } = DaemonError.is(error)
        ? error
        : { code: "INTERNAL", message: String(error), retryable: false };
      logger.error({ code }, `the daemon is not in its fleet: ${message}`);
      // To join again under a name that another daemon has would take the name away from it.
      if (!retryable) return;
      await delay(PROCESS_LIMITS.joinAgainMs, undefined, { ref: false });
    }
  }
}

/**
 * Who a service acts for. Keys are read at each dial: after `token revoke` a daemon would take the id of a key for that of a user without a
 * policy. Rejects with an `InvalidOptionError` for a key that is not there at the start.
 */
async function principalsOf(
  services: Readonly<Record<string, string>>,
  readKeys: ReadKeys,
): Promise<(client: string) => Promise<Principal | undefined>> {
  const named = new Map(Object.entries(services));
  const principalOf = async (client: string) => {
    const name = named.get(client);
    const found = (await readKeys()).find((key) => typeof key !== "string" && key.name === name);
    return typeof found === "object" ? { keyId: keyIdOf(found.key) } : undefined;
  };
  for (const [client, key] of named) {
    if ((await principalOf(client)) === undefined)
      throw new InvalidOptionError(`fleet.services.${client}`, "the name of a key in apiKeys", key);
  }
  return principalOf;
}

/** Dots of a host's name would be separators of NATS. */
function hostName(): string {
  return hostname()
    .replaceAll(/[^A-Za-z0-9_-]/g, "-")
    .slice(0, 64);
}

async function readCredentials(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new InvalidOptionError(option, `the path of a credentials file that can be read; ${path} cannot`);
  }
}

/** The package is an optional peer: it contains a client, and the daemon must not depend on its clients. */
async function loadFleet(): Promise<typeof import("@daemon-sdk/fleet/machine")> {
  try {
    return await import("@daemon-sdk/fleet/machine");
  } catch (cause) {
    const text = "A fleet needs the package @daemon-sdk/fleet. Install it where @daemon-sdk/local-daemon is installed.";
    throw new DaemonError("LOCAL_DAEMON_UNAVAILABLE", `${text} ${String(cause)}`, { cause });
  }
}
