import { spawn } from "node:child_process";
import { once } from "node:events";
import { InvalidOptionError, silentLogger } from "@daemon-sdk/protocol";
import type { Command } from "commander";
import {
  AGENT_PRESETS,
  type AgentFinding,
  type AgentSpec,
  createAgentSpawner,
  LoginShell,
  loginOf,
  probeAgent,
} from "../../agents/index.js";
import { readConfigFile } from "../../config-file/index.js";
import { agentSpecs } from "../../configured-agents.js";
import type { CommandLine } from "../command-line.js";
import { EXIT } from "../fail.js";
import { printable, type Terminal } from "../terminal.js";

/** Adds `agents` and `agents login`. */
export function addAgentsCommand(program: Command, cli: CommandLine): void {
  const command = cli
    .command(
      program,
      "agents",
      "start each agent once and print what it offers: configured ones, and known ones on PATH",
      "one JSON object per line",
    )
    .action(cli.action((context) => agents(context)));
  command
    .command("login")
    .description("run the login command of an agent in this terminal")
    .argument("<name>", "for example claude, codex, gemini, opencode")
    .action(cli.action((context, name: string) => login({ ...context, name }), "own"));
}

/** Options of `local-daemon agents`. */
export interface AgentsOptions {
  readonly stateDir: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/**
 * Starts each agent once and prints what it is: configured ones, and presets whose program is on PATH. Exit code 1 when one does
 * not work.
 */
export async function agents({ stateDir, json, terminal }: AgentsOptions): Promise<number> {
  const { agents: configured = {}, agentPresets = true, loginShell: isRead = true } = await readConfigFile(stateDir);
  const loginShell = new LoginShell({ isRead, logger: silentLogger });
  const env = await loginShell.read();
  const instanceId = `agents-${process.pid}`;
  const spawner = createAgentSpawner({ instanceId, stateDir, logger: silentLogger, env });
  let isFine = true;
  for (const spec of agentSpecs({ agents: configured, agentPresets }, env)) {
    if (!json) terminal.note(`Starting ${spec.name} …`);
    const finding = await probeAgent(spec, spawner, env.PATH);
    isFine &&= finding.state === "ready" || finding.state === "not asked";
    if (json) terminal.json(finding);
    else terminal.answer(inWords(finding));
  }
  return isFine ? EXIT.ok : EXIT.failed;
}

/** Options of `local-daemon agents login`. */
export interface LoginOptions {
  readonly stateDir: string;
  readonly name: string;
  readonly terminal: Terminal;
}

/** Runs the login command of a preset, or of a configured agent with a preset's program, in this terminal. The exit code is the command's. */
export async function login({ stateDir, name, terminal }: LoginOptions): Promise<number> {
  const { agents: configured = {} } = await readConfigFile(stateDir);
  const ways = loginsOf({ ...AGENT_PRESETS, ...configured });
  const way = ways.get(name);
  if (way === undefined) {
    const known = [...ways.keys()].join(", ");
    throw new InvalidOptionError("name", `one of ${known}. Log in to another agent with the agent's own command`, name);
  }
  const [program, ...args] = way;
  terminal.note(`Running ${way.join(" ")} …`);
  const child = spawn(program, args, { stdio: "inherit" });
  try {
    const [code] = await once(child, "exit");
    return typeof code === "number" ? code : EXIT.failed;
  } catch {
    throw new InvalidOptionError("name", `an agent whose program "${program}" is on PATH`, name);
  }
}

/** Login commands by the agent's name. */
function loginsOf(
  agents: Readonly<Record<string, Pick<AgentSpec, "command">>>,
): Map<string, readonly [string, ...string[]]> {
  const ways = Object.entries(agents).flatMap(([name, { command }]) => {
    const way = loginOf({ name, command });
    return way === undefined ? [] : [[name, way] as const];
  });
  return new Map(ways);
}

function inWords({ name, driver, path, state, version, models = [], modes = [], problem }: AgentFinding): string {
  const head = `${name.padEnd(16)} ${state.padEnd(15)} ${driver.padEnd(15)} ${version ?? "–"}  ${path ?? "–"}`;
  const rows = [
    head,
    ...(models.length > 0 ? [`  models: ${models.join(", ")}`] : []),
    ...(modes.length > 0 ? [`  modes: ${modes.join(", ")}`] : []),
    ...(problem === undefined ? [] : [`  ${problem}`]),
  ];
  return `${rows.map(printable).join("\n")}\n`;
}
