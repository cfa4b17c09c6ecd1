import { basename } from "node:path";
import { InvalidOptionError, type Logger, silentLogger } from "@daemon-sdk/protocol";
import { type ConfiguredKey, checkKeys } from "./access/index.js";
import type { AgentSpawner, AgentSpec } from "./agents/index.js";
import type { HandOver } from "./hand-over/index.js";
import { DAEMON_LIMITS, type DaemonLimits, LEAST_LIMITS, SERVING_LIMITS } from "./limits/index.js";
import type { TlsFiles } from "./listener/index.js";
import { checkRetention, type RetentionOptions } from "./retention/index.js";
import type { Store } from "./storage/index.js";

/** How an agent is started and spoken to; its name is the key it stands under. */
export interface ConfiguredAgent {
  /** Program and arguments; never a shell line. */
  readonly command: readonly [string, ...string[]];
  /** Default `stream-jsonrpc`. */
  readonly driver?: AgentSpec["driver"] | undefined;
  /** Variables of its own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Names of the daemon's variables that it gets beside the allow-list. */
  readonly inheritEnv?: readonly string[] | undefined;
  /** Names of variables that a client may set for its session (`createSession({ env })`). Default none. */
  readonly allowEnv?: readonly string[] | undefined;
  /** Directory in which the program is started; absolute, or below `~/`. Default: the session's. The session keeps its own. */
  readonly cwd?: string | undefined;
  /** Driver `acp`: the mode to set before the first prompt. Default: one that asks, where the agent has one. */
  readonly mode?: string | undefined;
  /** Driver `acp`: the model of sessions that name none. Default: the agent's own. */
  readonly model?: string | undefined;
  /** Driver `acp`: the version of the protocol to ask for; default 1. The agent's answer decides. Version 2 is a draft. */
  readonly protocolVersion?: 1 | 2 | undefined;
  /** Driver `acp`: whether the agent may read and write files through the daemon, in the session's directory only. Default false. */
  readonly fs?: boolean | undefined;
  /** Driver `acp`: whether the agent may have commands run by the daemon, which end with their turn. Default false. */
  readonly terminal?: boolean | undefined;
  /** How long the agent may take to open a conversation, in ms; default 30 000. */
  readonly startTimeoutMs?: number | undefined;
  /** Most processes of this agent that start or run, of all sessions together. Default: `limits.liveAgents`. */
  readonly maxLive?: number | undefined;
}

/** Configuration of {@link createDaemon}; every key is optional. */
export interface DaemonConfig {
  /**
   * Where the daemon keeps its state: sessions, token, sockets. Made with mode 0700 when missing; refused when others can
   * read it. Default: `DAEMON_SDK_HOME`, else `$XDG_STATE_HOME/daemon-sdk`, else `~/.local/state/daemon-sdk`.
   *
   * `false`: none. Nothing is written, sessions are kept in memory, and clients connect by `Daemon.accept` or at `port`. When the
   * program dies, a guard process ends the agents.
   */
  readonly stateDir?: string | false | undefined;
  /**
   * Name of the program that runs this daemon. Its clients wait for that program and never start the default daemon in its place.
   * Default: the file name of the running program; `local-daemon` means the default daemon.
   */
  readonly program?: string | undefined;
  /** Listen on 127.0.0.1, too; 0 picks a free port. Default: the unix socket only. */
  readonly port?: number | undefined;
  /** Where sessions are kept. Default: SQLite in the state directory; without one, in memory. */
  readonly store?: Store | undefined;
  /** Agents by name, beside the embedded `workspace-agent`; one of that name replaces it. */
  readonly agents?: Readonly<Record<string, ConfiguredAgent>> | undefined;
  /**
   * Whether agents that this package knows are offered where their program is on PATH: `claude`, `codex`, `gemini`, `opencode`,
   * `copilot`, `qwen`, `kimi`, `pi`, `goose`, `droid`. Default false; the command line's daemon offers them.
   */
  readonly agentPresets?: boolean | undefined;
  /**
   * Whether agents get PATH and proxies of the user's login shell in place of the daemon's own (docs/agents.md, "Environment").
   * Default false; the command line's daemon reads the shell.
   */
  readonly loginShell?: boolean | undefined;
  /** Agent of sessions that ask for none. Default: `workspace-agent`. */
  readonly defaultAgent?: string | undefined;
  /**
   * Keys that clients may use in place of the local token; kept as hashes only. Default none. A key that is a plain string may do
   * in its sessions what the person may; an object restricts that by a policy.
   */
  readonly apiKeys?: readonly (string | ConfiguredKey)[] | undefined;
  /** Web pages that may connect, as exact origins. Default none; programs send no Origin and are not affected. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * Further values of `Host` under which the TCP port is reached, exactly, such as `localhost:9000` for a forwarded port. Default
   * none: 127.0.0.1, [::1] and localhost with the daemon's own port.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Certificate and key with which the TCP port serves TLS, too (`wss:` and `https:`). `allowedHosts` are then served over TLS only; plain
   * connections stay possible to 127.0.0.1, [::1] and localhost. Default: no TLS. A reload reads the files again.
   */
  readonly tls?: TlsFiles | undefined;
  /** Default: nothing is logged. Secrets never are. */
  readonly logger?: Logger | undefined;
  /** Starts agents. Default: as child processes. */
  readonly spawner?: AgentSpawner | undefined;
  /** Whether programs on the relay may have agents spawned and released. Default false, as in the original. */
  readonly spawnManager?: boolean | undefined;
  /**
   * To whom a name on the relay belongs. `owned` (default): while it is connected or has mail, to whoever shows its resume token
   * or the credential of its process; copies and queries of others' messages need a proof or a ticket of the person. `open`, as
   * in the original: to the newest connection, and everybody may read everything.
   */
  readonly relayAccess?: "owned" | "open" | undefined;
  /**
   * How long a permission request or a question may wait; then it is closed as cancelled, and told so. Default: as long as its
   * turn.
   */
  readonly requestTimeoutMs?: number | undefined;
  /** Which sessions that nobody uses are deleted. Default: none is. */
  readonly retention?: RetentionOptions | undefined;
  /** Wall clock in ms, for what is stored. Default `Date.now`. */
  readonly now?: () => number | undefined;
  /** Overrides of single bounds. */
  readonly limits?: Partial<DaemonLimits> | undefined;
  /**
   * Lets another daemon of this user take the place of this one, by `local-daemon restart`: this one ends, but for the agents, which
   * this process holds for the other one, and calls this when it has. Default: it is refused. A program that runs its daemon itself
   * is restarted in its own way.
   */
  readonly onHandOver?: ((handOver: HandOver) => void) | undefined;
  /** Reads the configuration anew, for `local-daemon reload` and `status`. Default: none; a reload over the wire is refused. */
  readonly readConfig?: (() => Promise<ConfigReading>) | undefined;
}

/** A configuration that was read anew. */
export interface ConfigReading {
  readonly config: DaemonConfig;
  /** Changed keys that are not of the daemon itself, and that its next start applies. */
  readonly atNextStart?: readonly string[] | undefined;
}

/** {@link DaemonConfig} with every default filled in. What is missing still has no value of its own. */
export interface ResolvedConfig extends DaemonConfig {
  readonly program: string;
  readonly agents: Readonly<Record<string, ConfiguredAgent>>;
  readonly agentPresets: boolean;
  readonly loginShell: boolean;
  readonly defaultAgent: string;
  readonly apiKeys: readonly (string | ConfiguredKey)[];
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly logger: Logger;
  readonly spawnManager: boolean;
  readonly relayAccess: "owned" | "open";
  readonly now: () => number;
  readonly limits: DaemonLimits;
}

/** What a configuration that says nothing means. */
export const DEFAULT_CONFIG: ResolvedConfig = {
  program: basename(process.argv[1] ?? process.title),
  agents: {},
  agentPresets: false,
  loginShell: false,
  defaultAgent: "workspace-agent",
  apiKeys: [],
  allowedOrigins: [],
  allowedHosts: [],
  logger: silentLogger,
  spawnManager: false,
  relayAccess: "owned",
  now: Date.now,
  limits: DAEMON_LIMITS,
};

/** Fills in the defaults. Throws an `InvalidOptionError` that names the option; never repeats a key. */
export function resolveConfig(config: DaemonConfig): ResolvedConfig {
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  const resolved: ResolvedConfig = {
    ...DEFAULT_CONFIG,
    ...given,
    limits: { ...DEFAULT_CONFIG.limits, ...config.limits },
  };
  const { port } = resolved;
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new InvalidOptionError("port", "a port number from 0 to 65535", port);
  }
  const { requestTimeoutMs } = resolved;
  if (requestTimeoutMs !== undefined && !(requestTimeoutMs >= 1 && requestTimeoutMs <= SERVING_LIMITS.timerMs)) {
    throw new InvalidOptionError(
      "requestTimeoutMs",
      `a number of milliseconds from 1 to ${SERVING_LIMITS.timerMs}`,
      requestTimeoutMs,
    );
  }
  checkKeys(resolved.apiKeys);
  if (resolved.retention !== undefined) checkRetention(resolved.retention);
  for (const [name, agent] of Object.entries(resolved.agents)) checkAgent(name, agent);
  for (const [name, value] of Object.entries(config.limits ?? {})) {
    if (!(name in DEFAULT_CONFIG.limits)) {
      throw new InvalidOptionError(`limits.${name}`, `one of ${Object.keys(DEFAULT_CONFIG.limits).join(", ")}`);
    }
    const min = LEAST_LIMITS[name as keyof DaemonLimits] ?? 0;
    if (!(typeof value === "number" && value >= min)) {
      throw new InvalidOptionError(`limits.${name}`, `a number from ${min} on`, value);
    }
  }
  return resolved;
}

function checkAgent(name: string, agent: ConfiguredAgent): void {
  const { command, cwd, maxLive, protocolVersion, startTimeoutMs } = agent;
  const isCommand = Array.isArray(command) && command.length > 0 && command.every((part) => typeof part === "string");
  if (!isCommand) {
    throw new InvalidOptionError(`agents.${name}.command`, "a program and its arguments, as an array", command);
  }
  if (protocolVersion !== undefined && protocolVersion !== 1 && protocolVersion !== 2) {
    throw new InvalidOptionError(`agents.${name}.protocolVersion`, "1 or 2", protocolVersion);
  }
  if (startTimeoutMs !== undefined && !(startTimeoutMs >= 1 && startTimeoutMs <= SERVING_LIMITS.timerMs)) {
    const wanted = `a number of milliseconds from 1 to ${SERVING_LIMITS.timerMs}`;
    throw new InvalidOptionError(`agents.${name}.startTimeoutMs`, wanted, startTimeoutMs);
  }
  if (cwd !== undefined && !(typeof cwd === "string" && /^(?:\/|~\/)/.test(cwd))) {
    throw new InvalidOptionError(
      `agents.${name}.cwd`,
      "an absolute path of a directory, or one that begins with ~/",
      cwd,
    );
  }
  if (maxLive !== undefined && !(Number.isInteger(maxLive) && maxLive >= 1)) {
    throw new InvalidOptionError(`agents.${name}.maxLive`, "a whole number from 1 on", maxLive);
  }
}
