import { randomBytes } from "node:crypto";
import { LIMITS, newId, ProtocolError, type SessionId } from "@daemon-sdk/protocol";
import type {
  PresenceEvent,
  ReleasePayload,
  SendInputPayload,
  SetModelPayload,
  SetModelResultPayload,
  SpawnPayload,
  SpawnResultPayload,
  WorkerResultPayload,
  WorkerSummary,
} from "@daemon-sdk/protocol/relay";
import type { AgentCatalog, AgentSpawner, AgentSpec, LiveAgents } from "../../agents/index.js";
import type { Committer } from "../../journal/index.js";
import type { RelayLimits } from "../../limits/index.js";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import type { Mailboxes } from "../mailboxes/index.js";
import { addressFor, type Directory, type ExpectedAgent, type RelayPeer } from "../names/index.js";
import { abortError, startRelayProgram } from "./relay-program.js";
import { spawnFault } from "./spawn-request.js";
import type { StdioPeerOptions } from "./stdio-peer.js";
import { type StdioWorkerOptions, startStdioWorker } from "./stdio-worker.js";
import type { Worker, WorkerOrder } from "./worker.js";

/** The parts of the daemon that spawning uses (docs/wire/relay.md#spawning). */
export interface SpawningParts {
  /** The one that sessions use. */
  readonly spawner: AgentSpawner;
  /** Bounds the starts and the number of agents, those of sessions included. */
  readonly live: LiveAgents;
  readonly agents: AgentCatalog;
  /** Id of this start of the daemon, stored with every process. */
  readonly instanceId: string;
  /** The socket to which spawned programs connect. */
  readonly socketPath: string;
  /** The directory in which a worker may work, as for a session of the person. Rejects when the rules refuse it. */
  workingDirectory(path: string): Promise<string>;
}

/** Options of {@link SpawnManager}. */
export interface SpawnManagerOptions
  extends SpawningParts,
    Omit<StdioPeerOptions, "agent" | "hello" | "mailboxes">,
    Pick<StdioWorkerOptions, "admit"> {
  readonly directory: Directory;
  readonly mailboxes: Mailboxes & { hasMail(address: string): boolean };
  /** `open`: a name has no owner. */
  readonly access: "owned" | "open";
  readonly feed: { report(event: PresenceEvent): void };
  readonly committer: Committer;
  readonly limits: Pick<RelayLimits, "relaySpawnMs">;
}

const CREDENTIAL_BYTES = 16;

/** A result without `replyTo`, which is taken from the request's envelope. */
export type Result<Payload extends { replyTo: string }> = Omit<Payload, "replyTo">;

type LaunchedProcess = Pick<Worker, "pid" | "startTime">;

interface Running {
  readonly worker: Worker;
  readonly summary: WorkerSummary;
}

/**
 * Starts agents for agents and ends them (docs/wire/relay.md#spawning), through the spawner that sessions use.
 *
 * A worker belongs to the daemon, not to its spawner: it runs on when its spawner has left, is not restarted when it ends by
 * itself, and ends with the daemon.
 */
export class SpawnManager {
  readonly #options: SpawnManagerOptions;
  readonly #running = new Map<string, Running>();
  readonly #starting = new Map<string, { readonly abort: AbortController; readonly done: Promise<unknown> }>();
  #isStopped = false;

  constructor(options: SpawnManagerOptions) {
    this.#options = options;
  }

  /** SPAWN. Resolves when the agent is active and its task is in its mailbox, or with the reason why there is no agent. */
  async spawn(by: RelayPeer, payload: SpawnPayload): Promise<Result<SpawnResultPayload>> {
    const { name, cli } = payload;
    const { agents } = this.#options;
    // A known agent is not waited for: a RELEASE that follows at once must find its start.
    if (agents.spawnable(cli) === undefined) await agents.seek(cli);
    const fault = this.#fault(payload) ?? shadowFault(by, payload);
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
   * RELEASE. Resolves when the process and the connection have ended. An agent that was not spawned has only a connection:
   * that is closed with a fatal ERROR, so that the agent does not connect again.
   */
  async release(by: RelayPeer, { name, reason }: ReleasePayload): Promise<Result<WorkerResultPayload>> {
    const { logger, directory } = this.#options;
    logger.info({ agent: name, by: by.name, reason }, "Release of an agent.");
    const starting = this.#starting.get(name);
    starting?.abort.abort(abortError(name));
    await starting?.done.catch(() => {});
    const isEnded = await this.end(name);
    if (starting !== undefined || isEnded) return { success: true, name };
    const agents = directory.agents().filter((peer) => peer.name === name);
    if (agents.length === 0) return failure(name, `Agent ${name} not found`);
    if (!by.actsForPerson && name !== by.name) {
      return failure(
        name,
        `Agent ${name} was not spawned: only a program that acts for the person can end its connection.`,
      );
    }
    const text = `Agent "${name}" was released by "${by.name}".`;
    for (const peer of agents) peer.refuse("BAD_REQUEST", text, { fatal: true });
    return { success: true, name };
  }

  /** Ends the worker of that name. Resolves when its process and its connection have ended; with false when there is none. */
  async end(name: string): Promise<boolean> {
    const running = this.#running.get(name);
    await running?.worker.stop();
    return running !== undefined;
  }

  /** SEND_INPUT: to the stdin of a program. A stdio agent gets it as a message, and its answer goes to the sender. */
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

  /** SET_MODEL: for stdio agents. A program that connects by itself has no such command. */
  async setModel(payload: SetModelPayload): Promise<Result<SetModelResultPayload>> {
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

  /** LIST_WORKERS: the running ones, in the order of their spawning. */
  list(): WorkerSummary[] {
    return [...this.#running.values()].map(({ worker, summary }) => ({
      ...summary,
      ...(worker.model === undefined ? {} : { model: worker.model }),
    }));
  }

  /** Ends every worker and every start. Resolves when all their processes have ended. No SPAWN succeeds afterwards. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const starts = [...this.#starting];
    for (const [name, { abort }] of starts) abort.abort(abortError(name));
    await Promise.allSettled(starts.map(([, { done }]) => done));
    await Promise.all([...this.#running.values()].map(({ worker }) => worker.stop()));
  }

  #fault(payload: SpawnPayload): string | undefined {
    if (this.#isStopped) return "The daemon stops. Ask the next one.";
    const { agents, directory, mailboxes, access } = this.#options;
    const connected = [...directory.agents(), ...directory.users()];
    const isConnected = (name: string) => connected.some((peer) => peer.name.toLowerCase() === name.toLowerCase());
    const fault = spawnFault(payload, {
      isRunning: (name) => this.#running.has(name),
      isStarting: (name) => this.#starting.has(name),
      isConnected,
      isHeld: (name) =>
        access === "owned" && mailboxes.hasMail(addressFor(name, "agent")) && !directory.isSpawned(name),
      lookAlike: (name) => directory.lookAlike(name),
      isConfigured: (cli) => agents.spawnable(cli) !== undefined,
      configured: agents.spawnableNames,
    });
    if (fault !== undefined || this.#running.size + this.#starting.size < MESSAGING_LIMITS.workers) return fault;
    return `${MESSAGING_LIMITS.workers} agents run already. Release one first.`;
  }

  /** Waits until the agent may start. A worker is never stopped to make room, because it would not be started again. */
  async #start(by: RelayPeer, payload: SpawnPayload, signal: AbortSignal): Promise<Running> {
    const { live, agents } = this.#options;
    const cwd = await this.#options.workingDirectory(payload.cwd ?? by.hello.workingDirectory ?? process.cwd());
    const order = orderOf(by, payload, cwd, signal);
    const bound = { agent: order.cli, most: agents.spawnable(order.cli)?.maxLive };
    const occupant = { owner: undefined, bound, idleSince: undefined, release: async () => {}, stop: async () => {} };
    await live.admit(occupant, signal);
    try {
      const running = await this.#startOrdered(by, payload, order);
      live.started(occupant);
      void running.worker.gone.then(() => live.delete(occupant));
      return running;
    } catch (error) {
      live.delete(occupant);
      throw error;
    }
  }

  async #startOrdered(by: RelayPeer, payload: SpawnPayload, order: WorkerOrder): Promise<Running> {
    const { directory, limits, committer, shadows } = this.#options;
    const startMs = limits.relaySpawnMs;
    const expected = directory.expect(order.name, startMs, order.credential);
    try {
      const running = await this.#launch(order, expected);
      const { shadowOf: primaryAgent, shadowSpeakOn: speakOn } = payload;
      if (primaryAgent !== undefined) {
        shadows.bind(order.name, { primaryAgent, ...(speakOn === undefined ? {} : { speakOn }) });
      }
      await this.#giveTask(by, order);
      // The result promises that the name and the process are stored. The committer logs a store that fails.
      await committer.commit([]).catch(() => {});
      return running;
    } finally {
      expected.end();
    }
  }

  async #launch(order: WorkerOrder, expected: ExpectedAgent): Promise<Running> {
    const { now, logger } = this.#options;
    const worker = await this.#startWorker(order, expected);
    const running: Running = { worker, summary: summaryOf(order, worker, now()) };
    this.#running.set(order.name, running);
    void worker.gone.then(({ exitCode, signal, stderr, expected }) => {
      if (this.#running.get(order.name) === running) this.#running.delete(order.name);
      this.#forget(worker.pid);
      this.#options.feed.report({
        ...{ type: "exited", name: order.name },
        ...(exitCode === null ? {} : { exitCode }),
        ...(signal === null ? {} : { signal }),
      });
      const fields = { agent: order.name, pid: worker.pid, exitCode, signal };
      if (expected) logger.info(fields, "A worker has ended.");
      else logger.warn({ ...fields, stderr }, "A worker has ended by itself.");
    });
    return running;
  }

  async #startWorker(order: WorkerOrder, expected: ExpectedAgent): Promise<Worker> {
    const { agents, limits } = this.#options;
    const spec = agents.spawnable(order.cli) as AgentSpec;
    const sessionId = newId<SessionId>();
    let launched: LaunchedProcess | undefined;
    const onLaunched = (process: LaunchedProcess) => {
      launched = process;
      this.#remember(process, sessionId);
    };
    const options = { ...this.#options, order, spec, sessionId, onLaunched };
    try {
      if (spec.driver !== "relay") return await startStdioWorker(options);
      return await startRelayProgram({ ...options, expected, startMs: limits.relaySpawnMs });
    } catch (error) {
      if (launched !== undefined) this.#forget(launched.pid);
      throw error;
    }
  }

  /** Posts the task as the first message, from the spawner. An agent without a task waits for messages. */
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
    const [outcome] = await this.#options.mailboxes.post([post]);
    return outcome?.state === "refused" ? failure(to, outcome.message) : { success: true, name: to };
  }

  /** Stores the process for the next daemon. Not awaited: the start takes longer, and the process has a mark as well. */
  #remember({ pid, startTime }: LaunchedProcess, sessionId: SessionId): void {
    const row = { pid, startTime, sessionId, instanceId: this.#options.instanceId };
    this.#options.committer.commit([{ kind: "agentProcess", row }]).catch(() => {});
  }

  #forget(pid: number): void {
    this.#options.committer.commit([{ kind: "agentProcessGone", pid }]).catch(() => {});
  }
}

function orderOf(by: RelayPeer, payload: SpawnPayload, cwd: string, signal: AbortSignal): WorkerOrder {
  const { name, cli, task, team, model, interactive, spawnerName = by.name } = payload;
  const credential = randomBytes(CREDENTIAL_BYTES).toString("base64url");
  return { name, cli, task, cwd, spawnerName, team, model, interactive, credential, signal };
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

/** A shadow reads another's messages. Its spawner may give it its own ones, or, acting for the person, anybody's. */
function shadowFault(by: RelayPeer, { shadowOf }: SpawnPayload): string | undefined {
  if (shadowOf === undefined || shadowOf === by.name || by.actsForPerson) return undefined;
  return `Only a program that acts for the person can have a shadow of "${shadowOf}" started.`;
}
