import {
  type Logger,
  ProcessExitError,
  SessionError,
  type SessionId,
  SessionNotFoundError,
} from "@daemon-sdk/protocol";
import type { Committer } from "../journal/index.js";
import { daemonStopping } from "../refusals.js";
import type { Agent, AgentEvents, AgentExit, AgentReady, AgentSpawner, AgentSpec, AgentStart } from "./agent.js";
import type { OccupiedSlots } from "./occupied-slots.js";

/** What all sessions' agents share. */
export interface AgentServices {
  readonly spawner: AgentSpawner;
  readonly committer: Committer;
  readonly slots: OccupiedSlots;
  /** Id of this start of the daemon, stored with every process so that the next one knows whose it is. */
  readonly instanceId: string;
  readonly now: () => number;
  readonly logger: Logger;
  readonly limits: { readonly agentRestarts: number; readonly agentRestartWindowMs: number };
}

/** Options of {@link AgentSlot}. */
export interface AgentSlotOptions extends AgentServices {
  readonly sessionId: SessionId;
  /** How its agent is started. Throws when the configuration no longer has it. */
  spec(): AgentSpec;
  /** What to ask of the next agent that is started. */
  describeStart(): AgentStart;
  /** An agent has opened the conversation; called before `ready` resolves. */
  onReady(ready: AgentReady): void;
  /** The agent did not have the conversation any more, and began a new one. */
  onForgotten(): void;
  /** Functions that need no `this`: the agent calls them directly. */
  readonly events: AgentEvents;
}

/**
 * The place of one session's agent: empty, or one process.
 *
 * The agent is started when a caller needs it and not before; two callers that need it at once share the start. An agent that
 * was started too often is refused with `AGENT_UNSTABLE` until the window has passed.
 */
export class AgentSlot {
  readonly #options: AgentSlotOptions;
  #agent: Agent | undefined;
  #isReady = false;
  #starting: Promise<Agent> | undefined;
  #stopping: Promise<void> | undefined;
  #starts: number[] = [];
  /** How often `stop` was called; a start under way compares it. */
  #stops = 0;

  constructor(options: AgentSlotOptions) {
    this.#options = options;
  }

  /** The agent, when it is ready to work. */
  get current(): Agent | undefined {
    return this.#isReady ? this.#agent : undefined;
  }

  /** True while there is a process, or one is about to be. */
  get isOccupied(): boolean {
    return this.#agent !== undefined || this.#starting !== undefined;
  }

  /**
   * The agent, started when there is none. Rejects with the reason it could not be started: `PROCESS_START_FAILED`,
   * `PROCESS_EXITED`, `AGENT_UNSTABLE`, `REQUEST_TIMEOUT`, `DAEMON_STOPPING`, or what the agent itself answered.
   */
  ready(): Promise<Agent> {
    if (this.#isReady && this.#agent !== undefined) return Promise.resolve(this.#agent);
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Stops or restarts reading what the agent says; its pipe fills and it waits. */
  setPaused(paused: boolean): void {
    this.#agent?.setPaused(paused);
  }

  /** Ends the process, or the start of one, and resolves when it is gone. A later {@link ready} starts another. */
  stop(): Promise<void> {
    this.#stops += 1;
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const [agent, starting] = [this.#agent, this.#starting];
    this.#isReady = false;
    await agent?.stop();
    // Stopping rejects a start: now, or once its process exists.
    await starting?.catch(() => {});
  }

  async #start(): Promise<Agent> {
    const { slots } = this.#options;
    const stops = this.#stops;
    await this.#stopping;
    const spec = this.#options.spec();
    this.#countStart(spec);
    slots.add(this);
    try {
      return await this.#fill(spec, () => this.#stops !== stops);
    } catch (error) {
      slots.delete(this);
      throw slots.isClosed ? daemonStopping() : error;
    }
  }

  async #fill(spec: AgentSpec, isStopped: () => boolean): Promise<Agent> {
    const { spawner, sessionId, describeStart, onReady } = this.#options;
    const start = describeStart();
    let self: Agent | undefined;
    const onExit = (exit: AgentExit) => this.#exited(self, exit);
    const agent = await spawner.spawn(spec, sessionId, start.cwd, { ...this.#options.events, onExit });
    self = agent;
    this.#agent = agent;
    this.#remember(agent);
    try {
      if (isStopped()) throw endedWhileStarting();
      const ready = await this.#open(agent, start);
      if (this.#agent !== agent || isStopped()) throw endedWhileStarting();
      this.#isReady = true;
      onReady(ready);
      return agent;
    } catch (error) {
      await agent.stop();
      throw error;
    }
  }

  /** An agent that lost the conversation gets a new one: the session would be of no use for ever otherwise. */
  async #open(agent: Agent, start: AgentStart): Promise<AgentReady> {
    const { resume, ...anew } = start;
    try {
      return await agent.open(start);
    } catch (error) {
      if (resume === undefined || !SessionNotFoundError.is(error)) throw error;
      const ready = await agent.open(anew);
      this.#options.onForgotten();
      return ready;
    }
  }

  #countStart(spec: AgentSpec): void {
    const { now, limits, sessionId } = this.#options;
    this.#starts = this.#starts.filter((at) => now() - at < limits.agentRestartWindowMs);
    if (this.#starts.length >= limits.agentRestarts) {
      throw new SessionError(
        "AGENT_UNSTABLE",
        `Agent "${spec.name}" was started ${this.#starts.length} times within ${limits.agentRestartWindowMs} ms. ` +
          "See the daemon's log for why it ends, then send again.",
        { sessionId },
      );
    }
    this.#starts.push(now());
  }

  #remember({ pid, startTime }: Agent): void {
    const { committer, sessionId, instanceId } = this.#options;
    // Not awaited: the agent needs longer to start, and its environment names its daemon, too.
    committer.commit([{ kind: "agentProcess", row: { pid, startTime, sessionId, instanceId } }]).catch(() => {});
  }

  #exited(agent: Agent | undefined, exit: AgentExit): void {
    const { committer, events } = this.#options;
    if (agent !== undefined) committer.commit([{ kind: "agentProcessGone", pid: agent.pid }]).catch(() => {});
    if (this.#agent === agent) {
      this.#agent = undefined;
      this.#isReady = false;
      if (this.#starting === undefined) this.#options.slots.delete(this);
    }
    events.onExit(exit);
  }
}

function endedWhileStarting(): ProcessExitError {
  return new ProcessExitError("The agent ended while it was starting.", { exitCode: null, signal: null });
}
