import { readFile } from "node:fs/promises";
import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { describeError } from "./fail.js";
import { serversOf } from "./fleet-options.js";

type FleetPackage = typeof import("@daemon-sdk/fleet");

/** A fleet that a command has connected to. */
export type Fleet = InstanceType<FleetPackage["Fleet"]>;

/** How a command reaches the fleet. */
export interface FleetAddress {
  readonly servers: string;
  readonly creds?: string | undefined;
  readonly tenant?: string | undefined;
  readonly domain?: string | undefined;
}

/** Adds the options of a {@link FleetAddress}. */
export function addFleetAddress(command: Command): Command {
  return command
    .requiredOption("--servers <servers>", "NATS servers of the fleet (nats://…, several by commas)")
    .option("--creds <file>", "credentials for NATS")
    .option("--tenant <name>", "the tenant (default: default)")
    .option("--domain <name>", "domain of the cluster's JetStream, behind a leaf (default: none)");
}

/** Runs a command with the fleet, and closes it afterwards. */
export async function withFleet(address: FleetAddress, run: (fleet: Fleet) => Promise<number>): Promise<number> {
  await using fleet = await openFleet(address);
  return await run(fleet);
}

/** Connects to the fleet, as `connectFleet` does. */
export async function openFleet({ servers, creds, tenant, domain }: FleetAddress): Promise<Fleet> {
  const { connectFleet } = await loadFleet();
  return connectFleet({
    servers: serversOf(servers),
    ...(creds === undefined ? {} : { credentials: await readCredentials(creds) }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(domain === undefined ? {} : { domain }),
  });
}

async function readCredentials(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new InvalidOptionError("creds", `the path of a credentials file that can be read; ${path} cannot`);
  }
}

/** The package is an optional peer: it contains a client, and the daemon must not depend on its clients. */
async function loadFleet(): Promise<FleetPackage> {
  try {
    return await import("@daemon-sdk/fleet");
  } catch (cause) {
    const text = "This needs the package @daemon-sdk/fleet. Install it where @daemon-sdk/local-daemon is installed.";
    throw new DaemonError("LOCAL_DAEMON_UNAVAILABLE", `${text} ${describeError(cause)}`, { cause });
  }
}
