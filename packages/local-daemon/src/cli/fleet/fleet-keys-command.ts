import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DaemonError, InvalidOptionError } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { makeDirectory } from "../../rendezvous/index.js";
import { countOf } from "../arguments.js";
import type { CommandContext, CommandLine } from "../command-line.js";
import { describeError, EXIT } from "../fail.js";
import { serversOf } from "../fleet-options.js";

type EnrolEntry = typeof import("@daemon-sdk/fleet/enrol");

const DAY_MS = 24 * 60 * 60_000;
/** In the directory of `fleet init`. */
const FILES = {
  config: "nats-server.conf",
  operator: "operator.seed",
  system: "system.creds",
  enrolmentKey: "enrolment.json",
} as const;

/** Adds `fleet init`, `fleet enrol` and `fleet revoke`. */
export function addFleetKeyCommands(fleet: Command, cli: CommandLine): void {
  cli
    .command(fleet, "init", "make the keys of a new cluster with one tenant, and the configuration of its servers")
    .argument("<directory>", "where they are written; must not have any yet")
    .option("--tenant <name>", "the tenant", "default")
    .option("--domain <name>", "domain of the cluster's JetStream, for machines behind a leaf (default: none)")
    .action(cli.action((context, directory: string, options: InitOptions) => init(context, directory, options)));
  cli
    .command(fleet, "enrol", "print credentials for one machine or one service")
    .requiredOption("--key <file>", `the tenant's ${FILES.enrolmentKey}`)
    .option("--machine <name>", "for the machine of that name")
    .option("--service <name>", "for the service of that name")
    .option(
      "--replicas",
      "a machine may write its replica; a service may read those of all machines, with the conversations of everybody",
    )
    .option("--days <n>", "how long they are valid (default: 90)", countOf)
    .action(cli.action((context, options: EnrolCommandOptions) => enrol(context, options)));
  cli
    .command(fleet, "revoke", "take credentials back: connections that use them are ended")
    .argument("<directory>", "that of `fleet init`")
    .requiredOption("--servers <servers>", "NATS servers of the fleet (nats://…, several by commas)")
    .requiredOption("--user <key>", "what `fleet enrol` said (U…), or * for all credentials that were made until now")
    .action(cli.action((context, directory: string, options: RevokeOptions) => revoke(context, directory, options)));
}

interface InitOptions {
  readonly tenant: string;
  readonly domain?: string;
}

interface EnrolCommandOptions {
  readonly key: string;
  readonly machine?: string;
  readonly service?: string;
  readonly days?: number;
  readonly replicas?: boolean;
}

interface RevokeOptions {
  readonly servers: string;
  readonly user: string;
}

async function init(
  { json, terminal }: CommandContext,
  given: string,
  { tenant, ...options }: InitOptions,
): Promise<number> {
  const directory = resolve(given);
  const { createFleetKeys } = await loadEnrol();
  const keys = await createFleetKeys(tenant, directory, options);
  await makeDirectory(directory);
  await writeNew(join(directory, FILES.config), keys.serverConfig);
  await writeNew(join(directory, FILES.operator), keys.operatorSeed);
  await writeNew(join(directory, FILES.system), keys.systemCredentials);
  await writeNew(join(directory, FILES.enrolmentKey), `${JSON.stringify(keys.enrolmentKey)}\n`);
  const paths = Object.fromEntries(Object.entries(FILES).map(([name, file]) => [name, join(directory, file)]));
  if (json) terminal.json({ tenant, ...paths });
  else for (const path of Object.values(paths)) terminal.answer(`${path}\n`);
  terminal.note(`Start each server with: nats-server -c ${FILES.config}. Keep ${FILES.operator} offline.`);
  return EXIT.ok;
}

async function enrol({ json, terminal }: CommandContext, options: EnrolCommandOptions): Promise<number> {
  const { key: path, machine, service, days, replicas } = options;
  const fleet = await loadEnrol();
  const { credentials, user, expiresAt } = await fleet.enrol(fleet.checkEnrolmentKey(await readJson("key", path)), {
    ...(machine === undefined ? {} : { machineId: machine }),
    ...(service === undefined ? {} : { client: service }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(days === undefined ? {} : { validMs: days * DAY_MS }),
  });
  if (json) terminal.json({ user, expiresAt: expiresAt.getTime(), credentials });
  else terminal.answer(credentials);
  terminal.note(`Valid until ${expiresAt.toISOString()}. To revoke them: --user ${user}`);
  return EXIT.ok;
}

async function revoke(
  { json, terminal }: CommandContext,
  directory: string,
  { servers, user }: RevokeOptions,
): Promise<number> {
  const fleet = await loadEnrol();
  const { account } = fleet.checkEnrolmentKey(await readJson("directory", join(directory, FILES.enrolmentKey)));
  await fleet.revoke({
    servers: serversOf(servers),
    systemCredentials: await readGiven("directory", join(directory, FILES.system)),
    operatorSeed: await readGiven("directory", join(directory, FILES.operator)),
    ...{ account, user },
  });
  if (json) terminal.json({ user, revoked: true });
  else terminal.answer("Revoked, and connections that used them are ended.\n");
  return EXIT.ok;
}

/** Keys that exist are never overwritten: all credentials that were made with them would be refused. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new InvalidOptionError("directory", `one without keys of a fleet; ${path} exists`);
  }
}

async function readJson(option: string, path: string): Promise<unknown> {
  const text = await readGiven(option, path);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readGiven(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw new InvalidOptionError(option, `one that can be read; ${path} cannot`);
  }
}

/** The package is an optional peer: it contains a client, and the daemon must not depend on its clients. */
async function loadEnrol(): Promise<EnrolEntry> {
  try {
    return await import("@daemon-sdk/fleet/enrol");
  } catch (cause) {
    const text = "This needs the package @daemon-sdk/fleet. Install it where @daemon-sdk/local-daemon is installed.";
    throw new DaemonError("LOCAL_DAEMON_UNAVAILABLE", `${text} ${describeError(cause)}`, { cause });
  }
}
