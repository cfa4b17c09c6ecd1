import { basename, dirname, join } from "node:path";
import type { SessionId } from "@daemon-sdk/protocol";
import type { AgentSpec } from "./agent.js";

/** Variables of the daemon's own environment that every agent gets; the list that `sudo` keeps, and the locale. */
const INHERITED: readonly string[] = ["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LANG", "TMPDIR"];

/** Locale categories are many and harmless, so they pass by their prefix. */
const INHERITED_PREFIX = "LC_";

/**
 * Names of the variables that the daemon sets for every agent, whatever the spec says (docs/agents.md, "Environment").
 *
 * The first and the last are also how what an agent leaves behind is found on Linux: they are inherited by its children.
 */
export const AGENT_MARKERS = {
  /** Id of the daemon's start that owns the process. */
  instance: "DAEMON_SDK_INSTANCE",
  /** Directory, private to this user, in which an agent may keep conversations. */
  state: "DAEMON_SDK_AGENT_STATE",
  /** Id of the session that the process serves. */
  session: "DAEMON_SDK_SESSION",
  /** Id of the terminal, in the processes of a command that an agent has run by the daemon. */
  terminal: "DAEMON_SDK_TERMINAL",
} as const;

const AGENTS = "agents";

/** Where agents of that daemon may keep conversations: `DAEMON_SDK_AGENT_STATE`. */
export function agentStateDirOf(stateDir: string): string {
  return join(stateDir, AGENTS);
}

/** The state directory of the daemon that gave an agent this directory; the directory itself when it is of no daemon. */
export function stateDirOfAgent(agentStateDir: string): string {
  return basename(agentStateDir) === AGENTS ? dirname(agentStateDir) : agentStateDir;
}

/** What {@link agentEnvironment} builds from. */
export interface EnvironmentSource {
  /** The daemon's own environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly instanceId: string;
  /** Value of `DAEMON_SDK_AGENT_STATE`; the variable is absent for a daemon without a state directory. */
  readonly agentStateDir: string | undefined;
}

/**
 * The whole environment of an agent: an allow-list, what its spec names, and our markers.
 *
 * Nothing else passes: tokens, `SSH_AUTH_SOCK` and `NODE_OPTIONS` of the daemon are not an agent's business. A spec that
 * wants one names it in `inheritEnv`, or gives a value in `env`; it cannot replace the markers.
 */
export function agentEnvironment(
  source: EnvironmentSource,
  spec: Pick<AgentSpec, "env" | "inheritEnv">,
  sessionId: SessionId,
): Record<string, string> {
  const environment: Record<string, string> = {};
  const named = new Set([...INHERITED, ...(spec.inheritEnv ?? [])]);
  for (const [name, value] of Object.entries(source.env)) {
    if (value !== undefined && (named.has(name) || name.startsWith(INHERITED_PREFIX))) environment[name] = value;
  }
  Object.assign(environment, spec.env, {
    [AGENT_MARKERS.instance]: source.instanceId,
    [AGENT_MARKERS.session]: sessionId,
  });
  if (source.agentStateDir === undefined) delete environment[AGENT_MARKERS.state];
  else environment[AGENT_MARKERS.state] = source.agentStateDir;
  return environment;
}
