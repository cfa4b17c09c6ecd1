import { spawn } from "node:child_process";
import { once } from "node:events";
import { InvalidOptionError, silentLogger } from "@daemon-sdk/protocol";
import { AGENT_PRESETS, type AgentFinding, type AgentSpec, createAgentSpawner, probeAgent } from "../agents/index.js";
import { readConfigFile } from "../config-file/index.js";
import { agentSpecs } from "../configured-agents.js";
import { EXIT } from "./fail.js";
import { printable, type Terminal } from "./terminal.js";

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
  const specs = await knownAgents(stateDir);
  const instanceId = `agents-${process.pid}`;
  const spawner = createAgentSpawner({ instanceId, stateDir, logger: silentLogger });
  let isFine = true;
  for (const spec of specs) {
    if (!json) terminal.note(`Starting ${spec.name} …`);
    const finding = await probeAgent(spec, spawner, process.env.PATH);
    isFine &&= finding.state === "ready" || finding.state === "not asked";
    if (json) terminal.json(finding);
    else terminal.answer(inWords(finding));
  }
  return isFine ? EXIT.ok : EXIT.failed;
}

/** Options of `local-daemon agents login`. */
export interface LoginOptions {
  readonly name: string;
  readonly terminal: Terminal;
}

/** Runs the login command of a preset in this terminal. The exit code is the command's. */
export async function login({ name, terminal }: LoginOptions): Promise<number> {
  const preset = Object.hasOwn(AGENT_PRESETS, name) ? AGENT_PRESETS[name] : undefined;
  if (preset === undefined) {
    const known = Object.keys(AGENT_PRESETS).join(", ");
    throw new InvalidOptionError("name", `one of ${known}. Log in to another agent with the agent's own command`, name);
  }
  const [program, ...args] = preset.login;
  terminal.note(`Running ${preset.login.join(" ")} …`);
  const child = spawn(program, args, { stdio: "inherit" });
  try {
    const [code] = await once(child, "exit");
    return typeof code === "number" ? code : EXIT.failed;
  } catch {
    throw new InvalidOptionError("name", `an agent whose program "${program}" is on PATH`, name);
  }
}

async function knownAgents(stateDir: string): Promise<AgentSpec[]> {
  const { agents: configured = {}, agentPresets = true } = await readConfigFile(stateDir);
  return agentSpecs({ agents: configured, agentPresets });
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
