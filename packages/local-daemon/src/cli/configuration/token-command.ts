import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { InvalidOptionError } from "@daemon-sdk/protocol";
import { type Command, Option } from "commander";
import { keyIdOf } from "../../access/index.js";
import { type ConfigFile, configPathOf, readConfigFile } from "../../config-file/index.js";
import type { CommandContext, CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { printTable } from "../table.js";
import { editConfig, reloadIfRunning } from "./config-edit.js";

type ConfiguredKey = Exclude<NonNullable<ConfigFile["apiKeys"]>[number], string>;

const KEY_BYTES = 32;
const AUTONOMY = ["off", "low", "medium", "high"] as const;

/** Adds `token make`, `token list` and `token revoke`. */
export function addTokenCommands(program: Command, cli: CommandLine): void {
  const command = program.command("token").description("keys of other programs, in config.json: make, list, revoke");
  cli
    .command(command, "make", "make a key and print it once; a running daemon takes it over")
    .argument("<name>", "what the log and refusals call it")
    .option("--cwd <directories...>", "its sessions work below these directories only")
    .option("--agents <names...>", "its sessions use these agents only")
    .addOption(new Option("--autonomy <level>", "highest autonomy of its sessions").choices(AUTONOMY))
    .option("--approves", "its client approves what its agents ask for", false)
    .addHelpText("after", '\nA key without --autonomy can do what you can (docs/security.md, "What a key can do").')
    .action(cli.action((context, name: string, options: MakeOptions) => makeToken(context, name, options)));
  cli
    .command(command, "list", "list the keys, without themselves", "one key per line")
    .action(cli.action((context) => listTokens(context)));
  cli
    .command(command, "revoke", "take a key away; a running daemon closes its connections")
    .argument("<name>", "name of the key, or the first characters of its id")
    .action(cli.action((context, name: string) => revokeToken(context, name)));
}

interface MakeOptions {
  readonly cwd?: string[];
  readonly agents?: string[];
  readonly autonomy?: (typeof AUTONOMY)[number];
  readonly approves: boolean;
}

async function makeToken(
  { stateDir, json, terminal }: CommandContext,
  name: string,
  { cwd, agents, autonomy, approves }: MakeOptions,
): Promise<number> {
  const key: ConfiguredKey = {
    key: randomBytes(KEY_BYTES).toString("base64url"),
    name,
    ...(cwd === undefined ? {} : { cwd: cwd.map((directory) => resolve(directory)) }),
    ...(agents === undefined ? {} : { agents }),
    ...(autonomy === undefined ? {} : { autonomy }),
    ...(approves ? { approves } : {}),
  };
  await editConfig(stateDir, ({ apiKeys = [] }) => {
    if (apiKeys.some((one) => typeof one !== "string" && one.name === name)) {
      throw new InvalidOptionError("name", `one that no key has; "local-daemon token revoke ${name}" frees it`);
    }
    return apiKeys.length === 0
      ? { path: ["apiKeys"], value: [key] }
      : { path: ["apiKeys", apiKeys.length], value: key, isInsertion: true };
  });
  const isTaken = await reloadIfRunning(stateDir);
  if (json) terminal.json({ keyId: keyIdOf(key.key), ...key });
  else terminal.answer(`${key.key}\n`);
  terminal.note(
    `Stored in ${configPathOf(stateDir)}; ${isTaken ? "it holds now" : "it holds from the next start on"}.`,
  );
  if (autonomy === undefined) terminal.note("Its client can do what you can: it has no --autonomy.", "yellow");
  return EXIT.ok;
}

/** A key as it is listed: everything but itself. */
interface ListedKey extends Omit<ConfiguredKey, "key"> {
  readonly keyId: string;
}

async function listTokens({ stateDir, json, terminal }: CommandContext): Promise<number> {
  const { apiKeys = [] } = await readConfigFile(stateDir);
  const keys = apiKeys.map(listed);
  if (json) for (const key of keys) terminal.json(key);
  else if (keys.length === 0) terminal.answer("No keys.\n");
  else {
    printTable<ListedKey>(
      terminal,
      [
        { title: "KEY", text: ({ keyId }) => keyId.slice(0, 8), style: "cyan" },
        { title: "NAME", text: ({ name }) => name ?? "–" },
        { title: "AUTONOMY", text: ({ autonomy }) => autonomy ?? "any" },
        { title: "APPROVES", text: ({ autonomy, approves }) => ((approves ?? autonomy === undefined) ? "yes" : "no") },
        { title: "AGENTS", text: ({ agents }) => agents?.join(", ") ?? "any", isCut: true },
        { title: "DIRECTORIES", text: ({ cwd }) => cwd?.join(", ") ?? "any", isCut: true },
      ],
      keys,
    );
  }
  return EXIT.ok;
}

function listed(one: string | ConfiguredKey): ListedKey {
  if (typeof one === "string") return { keyId: keyIdOf(one) };
  const { key, ...policy } = one;
  return { keyId: keyIdOf(key), ...policy };
}

async function revokeToken({ stateDir, json, terminal }: CommandContext, name: string): Promise<number> {
  let revoked: ListedKey | undefined;
  await editConfig(stateDir, ({ apiKeys = [] }) => {
    const keys = apiKeys.map(listed);
    const named = keys.filter((key) => key.name === name);
    const [found, ...others] = named.length > 0 ? named : keys.filter(({ keyId }) => keyId.startsWith(name));
    if (found === undefined || others.length > 0) {
      throw new InvalidOptionError(
        "name",
        'the name of one key, or the beginning of one id; "local-daemon token list" has both',
      );
    }
    revoked = found;
    return { path: ["apiKeys", keys.indexOf(found)], value: undefined };
  });
  const isTaken = await reloadIfRunning(stateDir);
  if (json) terminal.json({ keyId: revoked?.keyId, name: revoked?.name, revoked: true });
  else terminal.answer(`Revoked${isTaken ? ", and its connections are closed" : ""}.\n`);
  return EXIT.ok;
}
