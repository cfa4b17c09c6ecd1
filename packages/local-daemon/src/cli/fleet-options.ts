import { type Command, InvalidArgumentError } from "commander";
import { FLEET_NAME, FLEET_NAME_TEXT } from "../config-file/index.js";
import type { FleetSettings } from "../daemon/index.js";
import { countOf } from "./arguments.js";

/** What `start` was given of a fleet. */
export interface FleetOptions {
  readonly fleet?: string;
  readonly creds?: string;
  readonly tenant?: string;
  readonly domain?: string;
  readonly machine?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly capacity?: number;
  readonly replica?: boolean;
  readonly consoleCreds?: string;
}

/** Adds the options with which a daemon joins a fleet. */
export function addFleetOptions(command: Command): Command {
  return command
    .option(
      "--fleet <servers>",
      "join a fleet over these NATS servers (nats://…, several by commas) until the daemon ends; needs @daemon-sdk/fleet",
    )
    .option("--creds <file>", "with --fleet: credentials for NATS")
    .option("--tenant <name>", "with --fleet: the tenant (default: default)", fleetNameOf)
    .option(
      "--domain <name>",
      "with --fleet: domain of the cluster's JetStream, behind a leaf (default: none)",
      fleetNameOf,
    )
    .option(
      "--machine <name>",
      "with --fleet: name of this machine, unique in the fleet (default: the host's name)",
      fleetNameOf,
    )
    .option("--label <name=value>", "with --fleet: what sessions may ask for; may be repeated", labelOf)
    .option("--capacity <n>", "with --fleet: sessions at work that count as full (default: 8)", countOf)
    .option(
      "--replica",
      "with --fleet: replicate the sessions of this machine, with their conversations, to the servers of the fleet",
    )
    .option(
      "--console-creds <file>",
      "with --fleet: a service's credentials for NATS, with which the console shows all machines",
    );
}

/** The settings that these options mean; undefined without `--fleet`. */
export function fleetSettingsOf(options: FleetOptions): FleetSettings | undefined {
  const { fleet, creds, tenant, domain, machine, label, capacity, replica, consoleCreds } = options;
  if (fleet === undefined) return undefined;
  return {
    servers: serversOf(fleet),
    ...(machine === undefined ? {} : { machineId: machine }),
    ...(creds === undefined ? {} : { credentialsFile: creds }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(domain === undefined ? {} : { domain }),
    ...(label === undefined ? {} : { labels: label }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(replica === undefined ? {} : { replica }),
    ...(consoleCreds === undefined ? {} : { console: { credentialsFile: consoleCreds } }),
  };
}

/** The addresses of a list with commas. */
export function serversOf(text: string): string[] {
  return text
    .split(",")
    .map((server) => server.trim())
    .filter((server) => server !== "");
}

/** Refused here, because a daemon in the background could only log it. */
function fleetNameOf(text: string): string {
  if (FLEET_NAME.test(text)) return text;
  throw new InvalidArgumentError(`Expected ${FLEET_NAME_TEXT}.`);
}

function labelOf(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("A label is <name>=<value>.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
