import { accessSync, constants, existsSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import type { AgentSpec } from "./agent.js";
import { PROXY_VARIABLES } from "./login-variables.js";

/** A published agent that runs without configuration where its program is on PATH. */
export interface AgentPreset {
  readonly driver: "acp" | "stream-jsonrpc";
  readonly command: readonly [string, ...string[]];
  /** Names of variables by which the agent finds its login or its model. */
  readonly inheritEnv: readonly string[];
  /** The command with which a person logs in, run in a terminal. */
  readonly login: readonly [string, ...string[]];
}

const PROXY = [...PROXY_VARIABLES, "NODE_EXTRA_CA_CERTS"];
const CONFIG_HOMES = ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"];

/** Presets by name. One of the same name in `config.json` takes its place. */
export const AGENT_PRESETS: Readonly<Record<string, AgentPreset>> = {
  claude: acp(
    ["claude-agent-acp"],
    ["claude", "/login"],
    ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "CLAUDE_CONFIG_DIR"],
  ),
  codex: acp(["codex-acp"], ["codex", "login"], ["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_HOME"]),
  gemini: acp(
    ["gemini", "--acp"],
    ["gemini"],
    ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT", "GOOGLE_GEMINI_BASE_URL"],
  ),
  opencode: acp(
    ["opencode", "acp"],
    ["opencode", "auth", "login"],
    ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENCODE_CONFIG"],
  ),
  copilot: acp(
    ["copilot", "--acp", "--no-auto-update"],
    ["copilot", "login"],
    ["GH_TOKEN", "GITHUB_TOKEN", "COPILOT_GITHUB_TOKEN"],
  ),
  qwen: acp(["qwen", "--acp"], ["qwen"], ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "DASHSCOPE_API_KEY"]),
  kimi: acp(["kimi", "acp"], ["kimi", "login"], ["KIMI_API_KEY", "MOONSHOT_API_KEY"]),
  pi: acp(["pi-acp"], ["pi-acp", "--terminal-login"], ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]),
  goose: acp(
    ["goose", "acp"],
    ["goose", "configure"],
    ["GOOSE_PROVIDER", "GOOSE_MODEL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"],
  ),
  droid: {
    driver: "stream-jsonrpc",
    command: ["droid", "exec", "--input-format", "stream-jsonrpc", "--output-format", "stream-jsonrpc"],
    inheritEnv: ["FACTORY_API_KEY", ...PROXY, ...CONFIG_HOMES],
    login: ["droid"],
  },
};

function acp(command: AgentPreset["command"], login: AgentPreset["login"], inheritEnv: readonly string[]): AgentPreset {
  return { driver: "acp", command, login, inheritEnv: [...inheritEnv, ...PROXY, ...CONFIG_HOMES] };
}

/** The login command of an agent: that of the preset of its name, else of the preset with the same program. */
export function loginOf({ name, command }: Pick<AgentSpec, "name" | "command">): AgentPreset["login"] | undefined {
  const program = basename(command[0]);
  const named = Object.hasOwn(AGENT_PRESETS, name) ? AGENT_PRESETS[name] : undefined;
  return (named ?? Object.values(AGENT_PRESETS).find((preset) => preset.command[0] === program))?.login;
}

/** The presets whose program is on this PATH, as agents. */
export function presetsOnPath(path: string | undefined): AgentSpec[] {
  const directories = (path ?? "").split(delimiter).filter((directory) => directory !== "");
  return Object.entries(AGENT_PRESETS).flatMap(([name, { driver, command, inheritEnv }]) =>
    programIn(directories, command[0]) === undefined ? [] : [{ name, driver, command, inheritEnv }],
  );
}

/** Path of a program: as it is when it has a separator, else the first on PATH; undefined when there is none. */
export function programPath(program: string, path: string | undefined): string | undefined {
  if (program.includes("/")) return isExecutable(program) ? program : undefined;
  return programIn((path ?? "").split(delimiter), program);
}

function programIn(directories: readonly string[], program: string): string | undefined {
  return directories.map((directory) => join(directory, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  // Most are not there, and each of these would be an error with its stack: a tenth of a millisecond, a hundred times a start.
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
