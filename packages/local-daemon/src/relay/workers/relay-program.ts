import { ProcessExitError, type SessionId, TimeoutError } from "@daemon-sdk/protocol";
import type { AgentExit, AgentProgram, AgentSpawner, AgentSpec } from "../../agents/index.js";
import type { Directory } from "../names/index.js";
import type { Worker, WorkerOrder } from "./worker.js";

/** What starting a program needs. */
export interface RelayProgramOptions {
  readonly order: WorkerOrder;
  readonly spec: AgentSpec;
  readonly sessionId: SessionId;
  readonly spawner: AgentSpawner;
  readonly directory: Directory;
  /** Where it is to connect. */
  readonly socketPath: string;
  /** How long it may take to connect. */
  readonly startMs: number;
  /** The process runs; it has not connected yet. */
  onLaunched(program: AgentProgram): void;
}

/**
 * Starts a program that connects to the relay by itself, and waits until it has (docs/wire/relay.md#spawning).
 *
 * It finds the socket and its name in its environment. Rejects, with nothing left of it, when it ends first, when it takes
 * too long, or when the order's signal says so.
 */
export async function startRelayProgram(options: RelayProgramOptions): Promise<Worker> {
  const { order, spec, sessionId, spawner, directory, startMs } = options;
  // It may be quicker to connect than we are to look at its process.
  const arrival = arrivalOf(order.name, directory);
  let program: AgentProgram | undefined;
  try {
    program = await spawner.launch(withVariables(spec, options), sessionId, order.cwd);
    options.onLaunched(program);
    await firstOf(arrival.arrived, program.gone, order, startMs);
    return workerOf(program, options);
  } catch (error) {
    await program?.stop();
    throw error;
  } finally {
    arrival.forget();
  }
}

function arrivalOf(name: string, directory: Directory): { readonly arrived: Promise<void>; forget(): void } {
  let forget = () => {};
  const arrived = new Promise<void>((resolve) => {
    forget = directory.onActive((peer) => peer.name === name && peer.entityType === "agent" && resolve());
  });
  return { arrived, forget };
}

/** Resolves when it has arrived; rejects when its end, the order's or the time's comes first. */
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
    onAbort = () => reject(abortError(name));
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
  const ended = gone.then((exit) => Promise.reject(exitError(name, exit)));
  try {
    await Promise.race([arrived, ended, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    // Whichever comes later is of no interest.
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
      // Its process goes first, or it would come back under its name.
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

function abortError(name: string): ProcessExitError {
  const message = `Agent "${name}" was released, or the daemon stopped, before it connected.`;
  return new ProcessExitError(message, { exitCode: null, signal: null });
}
