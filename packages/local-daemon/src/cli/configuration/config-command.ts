import { resolve } from "node:path";
import { METHODS, silentLogger } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import { LoginShell } from "../../agents/index.js";
import { DEFAULT_CONFIG } from "../../config.js";
import { type ConfigFile, checkConfigFile, configPathOf, readConfigFile } from "../../config-file/index.js";
import { agentSpecs } from "../../configured-agents.js";
import { redactedDeep } from "../../redaction.js";
import type { CommandLine } from "../command-line.js";
import { callRunningDaemon } from "../daemon-call.js";
import { EXIT } from "../fail.js";
import type { Terminal } from "../terminal.js";

/** Adds `reload`. */
export function addReloadCommand(program: Command, cli: CommandLine): void {
  cli
    .command(program, "reload", "let the running daemon take over its changed configuration; sessions go on")
    .action(cli.action((context) => reload(context)));
}

/** Adds `config check` and `config show`. */
export function addConfigCommands(program: Command, cli: CommandLine): void {
  const command = program.command("config").description("check or print the configuration");
  cli
    .command(
      command,
      "check",
      "print everything that is wrong in a configuration file, with line and column; exit code 1 when something is",
    )
    .argument("[file]", "default: config.json in the state directory")
    .action(cli.action((context, file: string | undefined) => checkConfig({ ...context, file })));
  cli
    .command(
      command,
      "show",
      "print the values that a daemon starts with, defaults included, without secrets",
      "one JSON object on one line",
    )
    .action(cli.action((context) => showConfig(context)));
}

/** Options of `local-daemon config show` and `local-daemon reload`. */
export interface ConfigOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Options of `local-daemon config check`. */
export interface CheckOptions extends ConfigOptions {
  /** Default: `config.json` of the state directory. */
  readonly file?: string | undefined;
}

/** Prints everything that is wrong in a configuration file. Exit code 1 when something is. */
export async function checkConfig({ stateDir, file, json, terminal }: CheckOptions): Promise<number> {
  const path = file === undefined ? configPathOf(stateDir) : resolve(file);
  const problems = await checkConfigFile(path);
  if (json) terminal.json({ file: path, ok: problems.length === 0, problems });
  else if (problems.length === 0) terminal.answer(`${path}: ok\n`);
  else {
    for (const { line, column, key, message } of problems) {
      terminal.answer(`${path}:${line}:${column}: ${key === "" ? "" : `${key}: `}${message}\n`);
    }
  }
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Prints the values that a daemon would start with: those of the file, and defaults. No secret is among them. */
export async function showConfig({ stateDir, json, terminal }: ConfigOptions): Promise<number> {
  const shown = await effective(await readConfigFile(stateDir));
  if (json) terminal.json(shown);
  else terminal.answer(`${JSON.stringify(shown, null, 2)}\n`);
  return EXIT.ok;
}

/** Lets the running daemon take over its configuration file. Rejects with `INVALID_OPTION` when the file is faulty. */
export async function reload({ stateDir, json, terminal }: ConfigOptions): Promise<number> {
  using call = await callRunningDaemon(stateDir);
  const changes = await call.engine.request(METHODS.reloadConfiguration, {});
  if (json) terminal.json(changes);
  else {
    const { applied, atNextStart } = changes;
    terminal.answer(applied.length === 0 ? "Nothing to apply.\n" : `Applied: ${applied.join(", ")}.\n`);
    if (atNextStart.length > 0) terminal.answer(`At the next start of the daemon: ${atNextStart.join(", ")}.\n`);
  }
  return EXIT.ok;
}

async function effective(file: ConfigFile): Promise<unknown> {
  const { logger: _logger, now: _now, program: _program, ...defaults } = DEFAULT_CONFIG;
  const config = { ...defaults, agentPresets: true, loginShell: true, logLevel: "info", ...file };
  const { agents, agentPresets, limits } = config;
  const env = await new LoginShell({ isRead: config.loginShell, logger: silentLogger }).read();
  const specs = agentSpecs({ agents, agentPresets }, env).map(({ name, ...spec }) => [name, spec]);
  const apiKeys = config.apiKeys.map((key) => (typeof key === "string" ? { key: HIDDEN } : { ...key, key: HIDDEN }));
  return redactedDeep({
    ...config,
    agents: Object.fromEntries(specs),
    apiKeys,
    limits: { ...DEFAULT_CONFIG.limits, ...limits },
  });
}

const HIDDEN = "[redacted]";
