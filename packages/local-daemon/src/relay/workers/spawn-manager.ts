import { LIMITS, newId, ProtocolError, type SessionId } from "@daemon-sdk/protocol";
import type {
  ChannelMessagePayload,
  Envelope,
  ReleasePayload,
  SendInputPayload,
  SetModelPayload,
  SetModelResultPayload,
  SpawnPayload,
  SpawnResultPayload,
  WorkerResultPayload,
  WorkerSummary,
} from "@daemon-sdk/protocol/relay";
import type { AgentSpec } from "../../agents/index.js";
import type { RelayPeer } from "../names/index.js";
import type { RelayServices, SpawningParts } from "../relay-services.js";
import { startRelayProgram } from "./relay-program.js";
import { directoryFault, spawnFault } from "./spawn-request.js";
import { startStdioWorker } from "./stdio-worker-start.js";
import type { Worker, WorkerOrder } from "./worker.js";

/** What the {@link SpawnManager} needs. */
export interface SpawnManagerOptions extends SpawningParts {
  readonly services: RelayServices;
  /** A worker's answer in a channel. */
  postInChannel(peer: RelayPeer, envelope: Envelope<ChannelMessagePayload>): void;
  /** A worker is to shadow somebody. */
  bindShadow(shadow: string, primary: string, speakOn: string[] | undefined): void;
}

/** A result without `replyTo`, which only the request's envelope knows. */
export type Result<Payload extends { replyTo: string }> = Omit<Payload, "replyTo">;

type LaunchedProcess = Pick<Worker, "pid" | "startTime">;

interface Running {
  readonly worker: Worker;
  readonly summary: WorkerSummary;
}

/**
 * Starts agents for agents and ends them (docs/wire/relay.md#spawning), through the spawner that sessions use.
 *
 * A worker belongs to the daemon, not to who asked for it: it goes on when its spawner has gone, is not started again when
 * it ends by itself, and ends with the daemon.
 */
export class SpawnManager {
  readonly #options: SpawnManagerOptions;
  readonly #running = new Map<string, Running>();
  readonly #starting = new Map<string, { readonly abort: AbortController; readonly done: Promise<unknown> }>();
  #isStopped = false;

  constructor(options: SpawnManagerOptions) {
    this.#options = options;
  }

  /** SPAWN. Resolves when the agent is connected and its task waits for it, or with the reason why there is none. */
  async spawn(by: RelayPeer, payload: SpawnPayload): Promise<Result<SpawnResultPayload>> {
    const { name } = payload;
    const fault = this.#fault(payload);
    if (fault !== undefined) return failure(name, fault);
    const abort = new AbortController();
    const done = this.#start(by, payload, abort.signal);
    this.#starting.set(name, { abort, done });
    try {
      const { worker } = await done;
      return { success: true, name, pid: worker.pid };
    } catch (error) {
      return failure(name, messageOf(error));
    } finally {
      this.#starting.delete(name);
    }
  }

  /**
   * RELEASE. Resolves when the process and the connection are gone. An agent that was not spawned has only a connection:
   * that is ended, with a fatal ERROR so that it stays away.
   */
  async release(by: RelayPeer, { name, reason }: ReleasePayload): Promise<Result<WorkerResultPayload>> {
    const { logger, directory } = this.#options.services;
    logger.info({ agent: name, by: by.name, reason }, "Release of an agent.");
    const starting = this.#starting.get(name);
    starting?.abort.abort();
    await starting?.done.catch(() => {});
    const running = this.#running.get(name);
    await running?.worker.stop();
    if (starting !== undefined || running !== undefined) return { success: true, name };
    const agents = directory.agents().filter((peer) => peer.name === name);
    if (agents.length === 0) return failure(name, `Agent ${name} not found`);
    const text = `Agent "${name}" was released by "${by.name}".`;
    for (const peer of agents) peer.refuse("BAD_REQUEST", text, { fatal: true });
    return { success: true, name };
  }

  /** SEND_INPUT: to the stdin of a program; a stdio agent gets it as a message, and its answer goes to who sent it. */
  async input(by: RelayPeer, { name, data }: SendInputPayload): Promise<Result<WorkerResultPayload>> {
    const running = this.#running.get(name);
    if (running === undefined) return failure(name, `Agent ${name} not found or input failed`);
    if (running.worker.setModel === undefined) {
      return running.worker.write(data)
        ? { success: true, name }
        : failure(name, `Agent ${name} not found or input failed`);
    }
    return this.#message(by, name, data);
  }

  /** SET_MODEL: for stdio agents; a program that connects by itself has no such command. */
  async setModel(_by: RelayPeer, payload: SetModelPayload): Promise<Result<SetModelResultPayload>> {
    const { name, model, timeoutMs = LIMITS.requestTimeoutMs } = payload;
    const running = this.#running.get(name);
    if (running === undefined) return { ...failure(name, `Agent ${name} not found`), model };
    const { worker, summary } = running;
    if (worker.setModel === undefined) {
      return { ...failure(name, `Agent "${summary.cli}" does not support mid-session model switching`), model };
    }
    try {
      const previousModel = await worker.setModel(model, timeoutMs);
      return { success: true, name, model, ...(previousModel === undefined ? {} : { previousModel }) };
    } catch (error) {
      return { ...failure(name, messageOf(error)), model };
    }
  }

  /** LIST_WORKERS: those that run, in the order of their spawning. */
  list(): WorkerSummary[] {
    return [...this.#running.values()].map(({ worker, summary }) => ({
      ...summary,
      ...(worker.model === undefined ? {} : { model: worker.model }),
    }));
  }

  /** Ends every worker and every start. Resolves when nothing of them is left; nothing can be spawned after it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const starts = [...this.#starting.values()];
    for (const { abort } of starts) abort.abort();
    await Promise.allSettled(starts.map(({ done }) => done));
    await Promise.all([...this.#running.values()].map(({ worker }) => worker.stop()));
  }

  #fault(payload: SpawnPayload): string | undefined {
    if (this.#isStopped) return "The daemon stops. Ask the next one.";
    const { agents, services } = this.#options;
    const connected = [...services.directory.agents(), ...services.directory.users()];
    const isConnected = (name: string) => connected.some((peer) => peer.name.toLowerCase() === name.toLowerCase());
    const fault = spawnFault(payload, {
      isRunning: (name) => this.#running.has(name),
      isStarting: (name) => this.#starting.has(name),
      isConnected,
      isConfigured: (cli) => agents.spawnable(cli) !== undefined,
      configured: agents.spawnableNames,
    });
    if (fault !== undefined || this.#running.size + this.#starting.size < LIMITS.relayWorkers) return fault;
    return `${LIMITS.relayWorkers} agents run already. Release one first.`;
  }

  async #start(by: RelayPeer, payload: SpawnPayload, signal: AbortSignal): Promise<Running> {
    const { directory, limits, committer } = this.#options.services;
    const order = orderOf(by, payload, signal);
    const fault = await directoryFault(order.cwd);
    if (fault !== undefined) throw new ProtocolError("INVALID_PARAMS", fault);
    const startMs = limits.relaySpawnMs;
    directory.markSpawning(order.name, startMs);
    try {
      const running = await this.#launch(order, startMs);
      const { shadowOf, shadowSpeakOn } = payload;
      if (shadowOf !== undefined) this.#options.bindShadow(order.name, shadowOf, shadowSpeakOn);
      await this.#giveTask(by, order);
      // Who hears of it may rely on it: its name and its process are stored by then. A store that fails says so in the log.
      await committer.commit([]).catch(() => {});
      return running;
    } finally {
      directory.clearSpawning(order.name);
    }
  }

  async #launch(order: WorkerOrder, startMs: number): Promise<Running> {
    const { now, logger } = this.#options.services;
    const worker = await this.#startWorker(order, startMs);
    const running: Running = { worker, summary: summaryOf(order, worker, now()) };
    this.#running.set(order.name, running);
    void worker.gone.then(({ exitCode, signal, stderr, expected }) => {
      if (this.#running.get(order.name) === running) this.#running.delete(order.name);
      this.#forget(worker.pid);
      const fields = { agent: order.name, pid: worker.pid, exitCode, signal };
      if (expected) logger.info(fields, "A worker has ended.");
      else logger.warn({ ...fields, stderr }, "A worker has ended by itself.");
    });
    return running;
  }

  async #startWorker(order: WorkerOrder, startMs: number): Promise<Worker> {
    const { services, spawner, agents, socketPath, postInChannel } = this.#options;
    const spec = agents.spawnable(order.cli) as AgentSpec;
    const sessionId = newId<SessionId>();
    let launched: LaunchedProcess | undefined;
    const onLaunched = (process: LaunchedProcess) => {
      launched = process;
      this.#remember(process, sessionId);
    };
    const common = { order, spec, sessionId, spawner, onLaunched };
    try {
      if (spec.driver !== "relay") return await startStdioWorker({ ...common, services, postInChannel });
      return await startRelayProgram({ ...common, directory: services.directory, socketPath, startMs });
    } catch (error) {
      if (launched !== undefined) this.#forget(launched.pid);
      throw error;
    }
  }

  /** The task is the first message, from who asked: a worker answers it like any other. Without one the agent waits. */
  async #giveTask(by: RelayPeer, { name, task }: WorkerOrder): Promise<void> {
    if (task.trim() === "") return;
    const given = await this.#message(by, name, task);
    if (given.success) return;
    await this.#running.get(name)?.worker.stop();
    const fault = `Agent "${name}" was started and ended again, because its task could not be given to it: ${given.error}`;
    throw new ProtocolError("INVALID_PARAMS", fault);
  }

  async #message(by: RelayPeer, to: string, body: string): Promise<Result<WorkerResultPayload>> {
    const post = { from: by.name, to, payload: { kind: "message", body }, refId: newId() };
    const [outcome] = await this.#options.services.mailboxes.post([post]);
    return outcome?.state === "refused" ? failure(to, outcome.message) : { success: true, name: to };
  }

  /** Not awaited: it needs longer to start, and its environment tells whose it is, too. */
  #remember({ pid, startTime }: LaunchedProcess, sessionId: SessionId): void {
    const row = { pid, startTime, sessionId, instanceId: this.#options.instanceId };
    this.#options.services.committer.commit([{ kind: "agentProcess", row }]).catch(() => {});
  }

  #forget(pid: number): void {
    this.#options.services.committer.commit([{ kind: "agentProcessGone", pid }]).catch(() => {});
  }
}

function orderOf(by: RelayPeer, payload: SpawnPayload, signal: AbortSignal): WorkerOrder {
  const { name, cli, task, team, model, interactive, spawnerName = by.name } = payload;
  const cwd = payload.cwd ?? by.hello.workingDirectory ?? process.cwd();
  return { name, cli, task, cwd, spawnerName, team, model, interactive, signal };
}

function summaryOf(
  { name, cli, task, cwd, team, spawnerName }: WorkerOrder,
  { pid }: Worker,
  now: number,
): WorkerSummary {
  return { name, cli, task, cwd, spawnerName, spawnedAt: now, pid, ...(team === undefined ? {} : { team }) };
}

function failure(name: string, error: string): Result<WorkerResultPayload> {
  return { success: false, name, error };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
