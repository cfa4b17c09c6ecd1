import { mkdir } from "node:fs/promises";
import { LIMITS, type Logger, SessionError, type SessionId } from "@daemon-sdk/protocol";
import { fromHome } from "../home-directory.js";
import type { Agent, AgentEvents, AgentProgram, AgentSpawner, AgentSpec } from "./agent.js";
import type { AgentGuard } from "./agent-guard.js";
import { AgentProcess, type AgentProcessTimings } from "./agent-process.js";
import { AcpAgent, type StartCommand, StreamJsonrpcAgent, type TerminalCommand } from "./drivers/index.js";
import { AGENT_MARKERS, agentEnvironment, agentStateDirOf } from "./environment.js";
import type { LoginShell } from "./login-shell.js";
import { type MarkedProcess, MarkedProcessSweeper } from "./marked-processes.js";

/** Options of {@link createAgentSpawner}. */
export interface AgentSpawnerOptions {
  /** Id of this start of the daemon; every process it starts carries it. */
  readonly instanceId: string;
  /** The daemon's state directory; agents keep conversations in {@link agentStateDirOf} of it. Undefined: there is none. */
  readonly stateDir: string | undefined;
  /** Ends the agents when this program dies. Absent: the next daemon of the state directory does. */
  readonly guard?: AgentGuard | undefined;
  readonly logger: Logger;
  /** The environment that agents inherit parts of; default the daemon's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Gives the environment in place of `env`. It is read at the first start of an agent. */
  readonly loginShell?: LoginShell | undefined;
  /** Overrides of the exit ladder's times, for tests. */
  readonly timings?: Partial<AgentProcessTimings>;
}

/** The embedded default agent: our own Node running the bundled file at `entryPath` (docs/agents.md). */
export function WORKSPACE_AGENT(entryPath: string): AgentSpec {
  return {
    name: "workspace-agent",
    command: [process.execPath, entryPath],
    driver: "stream-jsonrpc",
    deletesSessions: true,
  };
}

/**
 * Makes the spawner of agents. Each agent gets a process group, an environment of its own, and is stopped without leftovers (docs/agents.md, "How it is ended").
 *
 * A session has one agent at a time: `spawn` waits for the former one's last remains, and rejects with `SESSION_STATE`
 * while that one lives.
 */
export function createAgentSpawner(options: AgentSpawnerOptions): AgentSpawner {
  return new ProcessSpawner(options);
}

class ProcessSpawner implements AgentSpawner {
  readonly #options: AgentSpawnerOptions;
  readonly #agentStateDir: string | undefined;
  readonly #sweeper: MarkedProcessSweeper;
  readonly #processes = new Map<SessionId, AgentProcess>();

  constructor(options: AgentSpawnerOptions) {
    this.#options = options;
    const { stateDir } = options;
    this.#agentStateDir = stateDir === undefined ? undefined : agentStateDirOf(stateDir);
    this.#sweeper = new MarkedProcessSweeper(options.logger);
  }

  async spawn(spec: AgentSpec, sessionId: SessionId, cwd: string, events: AgentEvents): Promise<Agent> {
    const process = await this.#start(spec, sessionId, cwd);
    const { logger, stateDir: closedDirectory } = this.#options;
    const driven = { spec, process, sessionId, events, logger };
    if (spec.driver !== "acp") return new StreamJsonrpcAgent(driven);
    const startCommand: StartCommand = (command) => this.#startCommand(spec, sessionId, command);
    return new AcpAgent({ ...driven, closedDirectory, startCommand });
  }

  async launch(spec: AgentSpec, sessionId: SessionId, cwd: string): Promise<AgentProgram> {
    return programOf(await this.#start(spec, sessionId, cwd));
  }

  async #start(spec: AgentSpec, sessionId: SessionId, cwd: string): Promise<AgentProcess> {
    await this.#vacated(sessionId);
    const { instanceId, logger, timings, guard } = this.#options;
    const agentStateDir = this.#agentStateDir;
    if (agentStateDir !== undefined) await mkdir(agentStateDir, { recursive: true, mode: 0o700 });
    await guard?.ready();
    const isOurs = (marked: MarkedProcess) => marked.instanceId === instanceId && marked.sessionId === sessionId;
    const started = await AgentProcess.start({
      spec,
      cwd: spec.cwd === undefined ? cwd : fromHome(spec.cwd),
      env: await this.#environment(spec, sessionId),
      sweep: () => this.#sweeper.kill(isOurs),
      ...(timings && { timings }),
    });
    guard?.add(started.pid);
    this.#processes.set(sessionId, started);
    void started.gone.then(() => {
      guard?.remove(started.pid);
      if (this.#processes.get(sessionId) === started) this.#processes.delete(sessionId);
    });
    logger.info({ agent: spec.name, pid: started.pid, session: sessionId }, "Started an agent.");
    return started;
  }

  /**
   * Starts a command for an agent: in a process group of its own, with the agent's environment and marks, and a mark of its own, so that
   * what leaves the group ends with the command.
   */
  async #startCommand(spec: AgentSpec, sessionId: SessionId, wanted: TerminalCommand): Promise<AgentProcess> {
    const { guard, timings } = this.#options;
    const { id, command, cwd, env } = wanted;
    const environment = await this.#environment({ ...spec, env: { ...spec.env, ...env } }, sessionId);
    const started = await AgentProcess.start({
      spec: { ...spec, command: process.platform === "win32" ? command : withErrorsOnStdout(command) },
      cwd,
      env: { ...environment, [AGENT_MARKERS.terminal]: id },
      sweep: () => this.#sweeper.kill(({ terminalId }) => terminalId === id),
      // The end of stdin ends no command.
      timings: { ...timings, stdinGraceMs: 0 },
    });
    guard?.add(started.pid);
    void started.gone.then(() => guard?.remove(started.pid));
    return started;
  }

  async #environment(spec: AgentSpec, sessionId: SessionId): Promise<Record<string, string>> {
    const { instanceId, loginShell } = this.#options;
    const env = (await loginShell?.read()) ?? this.#options.env ?? process.env;
    return agentEnvironment({ env, instanceId, agentStateDir: this.#agentStateDir }, spec, sessionId);
  }

  /** Resolves when the place of the session's agent is free. */
  async #vacated(sessionId: SessionId): Promise<void> {
    const former = this.#processes.get(sessionId);
    if (former?.state === "running") {
      throw new SessionError("SESSION_STATE", `Session ${sessionId} has an agent. Stop it before another is started.`, {
        sessionId,
      });
    }
    // The sweep of the former one would take the new one for a leftover.
    await former?.gone;
  }
}

/** A terminal shows both outputs in the order in which they were written: they are one pipe. */
function withErrorsOnStdout(command: TerminalCommand["command"]): AgentSpec["command"] {
  return ["/bin/sh", "-c", 'exec "$0" "$@" 2>&1', ...command];
}

function programOf(started: AgentProcess): AgentProgram {
  // It speaks on its socket; a full stdout would only make it wait.
  started.stdout.resume();
  return {
    pid: started.pid,
    startTime: started.startTime,
    gone: started.gone,
    write: (text) => {
      const { writable, writableLength } = started.stdin;
      if (started.state !== "running" || !writable || writableLength > LIMITS.transportHighWaterBytes) return false;
      started.stdin.write(text);
      return true;
    },
    stop: () => started.stop(),
  };
}
