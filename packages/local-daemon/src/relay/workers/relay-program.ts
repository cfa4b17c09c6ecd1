import { ProcessExitError, type SessionId, TimeoutError } from "@daemon-sdk/protocol";
import type { AgentExit, AgentProgram, AgentSpawner, AgentSpec } from "../../agents/index.js";
import type { Directory, ExpectedAgent } from "../names/index.js";
import type { Worker, WorkerOrder } from "./worker.js";

/** Options of {@link startRelayProgram}. */
export interface RelayProgramOptions {
  readonly order: WorkerOrder;
  readonly spec: AgentSpec;
  readonly sessionId: SessionId;
  readonly spawner: AgentSpawner;
  readonly directory: Pick<Directory, "find">;
  readonly expected: ExpectedAgent;
  /** The socket to which the program connects. */
  readonly socketPath: string;
  /** Time for it to connect. */
  readonly startMs: number;
  /** The process runs; it is not connected yet. */
  onLaunched(program: AgentProgram): void;
}

/**
 * Starts a program that connects to the relay by itself, and waits until it is active (docs/wire/relay.md#spawning). The
 * program reads the socket's path and its name from its environment.
 *
 * Rejects when the program ends before, when the time is over, or when the order's signal aborts; then no process is left.
 */
export async function startRelayProgram(options: RelayProgramOptions): Promise<Worker> {
  const { order, spec, sessionId, spawner, expected, startMs } = options;
  let program: AgentProgram | undefined;
  try {
    program = await spawner.launch(withVariables(spec, options), sessionId, order.cwd);
    options.onLaunched(program);
    await firstOf(expected.arrived, program.gone, order, startMs);
    return workerOf(program, options);
  } catch (error) {
    await program?.stop();
    throw error;
  }
}

/** Resolves when the agent is active; rejects when its process ends, the order is aborted, or the time is over before. */
async function firstOf(
  arrived: Promise<void>,
  gone: Promise<AgentExit>,
  { name, signal }: WorkerOrder,
  startMs: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`The HELLO of agent "${name}"`, startMs)), startMs);
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  const ended = gone.then((exit) => Promise.reject(exitError(name, exit)));
  try {
    await Promise.race([arrived, ended, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    // Without these, a later rejection would be an unhandled one.
    ended.catch(() => {});
    late.catch(() => {});
  }
}

function withVariables(spec: AgentSpec, { order, socketPath }: RelayProgramOptions): AgentSpec {
  const env = {
    ...spec.env,
    RELAY_SOCKET: socketPath,
    RELAY_AGENT_NAME: order.name,
    AGENT_RELAY_SPAWNER: order.spawnerName,
    RELAY_PROCESS_CREDENTIAL: order.credential,
  };
  return { ...spec, env };
}

function workerOf(program: AgentProgram, { order, directory }: RelayProgramOptions): Worker {
  return {
    pid: program.pid,
    startTime: program.startTime,
    gone: program.gone,
    model: order.model,
    write: (text) => program.write(text),
    setModel: undefined,
    stop: async () => {
      // The process first, or it would connect again under its name.
      await program.stop();
      for (const peer of directory.find(order.name)) peer.end("released");
    },
  };
}

function exitError(name: string, exit: AgentExit): ProcessExitError {
  const how = exit.signal === null ? `with exit code ${exit.exitCode}` : `killed by ${exit.signal}`;
  const words = exit.stderr === "" ? "It wrote nothing to stderr." : `Its last words on stderr:\n${exit.stderr}`;
  return new ProcessExitError(`Agent "${name}" ended, ${how}, before it connected. ${words}`, { ...exit });
}

/** The error of a start that was ended from outside: the reason with which the order's signal is aborted. */
export function abortError(name: string): ProcessExitError {
  const message = `Agent "${name}" was released, or the daemon stopped, before it connected.`;
  return new ProcessExitError(message, { exitCode: null, signal: null });
}
