import {
  abortable,
  type Logger,
  ProcessExitError,
  SessionError,
  type SessionId,
  SessionNotFoundError,
} from "@daemon-sdk/protocol";
import type { Committer } from "../journal/index.js";
import { AGENT_LIMITS, type LiveAgentLimits } from "../limits/index.js";
import type { DaemonMetrics } from "../metrics/index.js";
import { agentsBusy, daemonStopping } from "../refusals.js";
import type { Agent, AgentEvents, AgentExit, AgentReady, AgentSpawner, AgentSpec, AgentStart } from "./agent.js";
import { AgentOutlet, type KeptAgent } from "./hold/index.js";
import type { LiveAgents } from "./live-agents.js";
import type { AgentBound, Occupant } from "./occupant.js";
import { StartNotice, type StartState } from "./start-notice.js";

/** What all sessions' agents share. */
export interface AgentServices {
  readonly spawner: AgentSpawner;
  readonly committer: Committer;
  readonly live: LiveAgents;
  readonly metrics: DaemonMetrics;
  /** Id of this start of the daemon, stored with every process so that the next one knows whose it is. */
  readonly instanceId: string;
  readonly now: () => number;
  readonly logger: Logger;
  readonly limits: Pick<LiveAgentLimits, "agentWaitMs"> & {
    readonly agentRestarts: number;
    readonly agentRestartWindowMs: number;
  };
}

/** Options of {@link AgentSlot}. */
export interface AgentSlotOptions {
  readonly services: AgentServices;
  readonly session: SlotSession;
  readonly sessionId: SessionId;
  /** Whose session it is, as of `Occupant`. */
  readonly owner: string | undefined;
}

/** The session of a slot. */
export interface SlotSession {
  /** Since when the session has nothing to do for its agent, in ms; undefined while it has. */
  idleSince(): number | undefined;
  /** Its start has been waiting for some time, and waits on; `error` says for what. */
  onWaiting(error: SessionError): void;
  /** Where a start is that takes long: {@link StartNotice}. */
  onStart(state: StartState): void;
  /** The idle agent is stopped to make room for another. */
  onReleased(): void;
  /** How its agent is started. Rejects when the configuration no longer has it, or the session may not start it. */
  spec(): Promise<AgentSpec>;
  /** What to ask of the next agent that is started. */
  describeStart(): AgentStart;
  /** An agent has opened the conversation; called before `ready` resolves. */
  onReady(ready: AgentReady): void;
  /** Receives the events of one agent, by functions that need no `this`: the agent calls them directly. Made for each agent. */
  events(): Omit<AgentEvents, "onExit">;
  /** Its agent ended. */
  onExit(exit: AgentExit): void;
}

/** A start under way, and how many callers wait for it. */
interface Start {
  readonly done: Promise<Agent>;
  readonly abort: AbortController;
  callers: number;
}

/**
 * The place of one session's agent: empty, or one process.
 *
 * The agent is started when a caller needs it and not before; two callers that need it at once share the start. The start waits
 * while as many agents start or run as may. An agent that was started too often is refused with `AGENT_UNSTABLE` until the window
 * has passed.
 */
export class AgentSlot implements Occupant {
  readonly #options: AgentSlotOptions;
  #agent: Agent | undefined;
  /** The way of its events; undefined for an adopted agent. */
  #outlet: AgentOutlet | undefined;
  #isReady = false;
  #starting: Start | undefined;
  /** Callers whose time is over, and who are refused as soon as the start has to wait for its turn. */
  #late: Set<() => void> | undefined;
  #calls = 0;
  #holds = 0;
  #stopping: Promise<void> | undefined;
  #starts: number[] = [];
  #bound: AgentBound | undefined;
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

  /** True while the agent starts, or waits for its start. */
  get isStarting(): boolean {
    return this.#starting !== undefined;
  }

  get owner(): string | undefined {
    return this.#options.owner;
  }

  get bound(): AgentBound | undefined {
    return this.#bound;
  }

  get idleSince(): number | undefined {
    return this.#isReady && this.#calls === 0 ? this.#options.session.idleSince() : undefined;
  }

  /**
   * The agent, started when there is none. Rejects with the reason it could not be started: `PROCESS_START_FAILED`,
   * `PROCESS_EXITED`, `AGENT_UNSTABLE`, `REQUEST_TIMEOUT`, `DAEMON_STOPPING`, or what the agent itself answered.
   *
   * @param signal ends the caller's wait; a start for which no caller waits any more, and which has not begun, is given up
   */
  async ready(signal?: AbortSignal): Promise<Agent> {
    if (this.#isReady && this.#agent !== undefined) return this.#agent;
    // A start that was given up must not fail this caller.
    while (this.#starting?.abort.signal.aborted === true) await this.#starting.done.catch(() => {});
    this.#starting ??= this.#begin();
    const start = this.#starting;
    start.callers += 1;
    try {
      return await abortable(start.done, signal);
    } finally {
      start.callers -= 1;
      if (start.callers === 0 && signal?.aborted === true) start.abort.abort(signal.reason);
    }
  }

  /**
   * As {@link ready}, but rejects with `AGENTS_BUSY` when the start waits for its turn after `agentWaitMs`. What comes before that, such
   * as the check of the session's directory, may take longer on a busy machine, and is no reason.
   */
  async readyInTime(): Promise<Agent> {
    const { live, limits } = this.#options.services;
    const { sessionId } = this.#options;
    const abort = new AbortController();
    const refuse = () => abort.abort(agentsBusy(sessionId, live.reasonToWait(this)));
    const timer = setTimeout(() => {
      if (live.isWaiting(this)) refuse();
      else {
        this.#late ??= new Set();
        this.#late.add(refuse);
      }
    }, limits.agentWaitMs);
    try {
      return await this.ready(abort.signal);
    } finally {
      clearTimeout(timer);
      this.#late?.delete(refuse);
      if (this.#late?.size === 0) this.#late = undefined;
    }
  }

  /** Calls the agent, started for it by {@link readyInTime}. The agent counts as at work until it has answered. */
  async call(method: string, params: Record<string, unknown>, timeoutMs: number): Promise<Record<string, unknown>> {
    this.#calls += 1;
    try {
      const agent = await this.readyInTime();
      return await agent.call(method, params, timeoutMs);
    } finally {
      this.#calls -= 1;
      this.#options.services.live.recheck();
    }
  }

  /** Stops reading what the agent says, until each hold was released: its pipe fills and it waits. */
  hold(isHeld: boolean): void {
    this.#holds += isHeld ? 1 : -1;
    this.#agent?.setPaused(this.#holds > 0);
  }

  /** Takes no more events of the agent that is ready: they wait for the next receiver. */
  suspend(): void {
    if (!this.#isReady) return;
    this.#outlet?.hold();
    this.#agent?.setPaused(true);
  }

  /** Empties the slot without ending the agent; undefined when none is ready. Call {@link suspend} before. */
  handOver(): KeptAgent | undefined {
    const [agent, outlet, bound] = [this.current, this.#outlet, this.#bound];
    if (agent === undefined || bound === undefined) return undefined;
    this.#agent = undefined;
    this.#outlet = undefined;
    this.#isReady = false;
    this.#options.services.live.delete(this);
    return { agent, outlet, bound };
  }

  /** Fills the slot with an agent that runs, and has its conversation open. */
  adopt<Adopted extends Agent>(bound: AgentBound, make: (events: AgentEvents) => Adopted): Adopted {
    let self: Agent | undefined;
    const adopted = make({ ...this.#options.session.events(), onExit: (exit) => this.#exited(self, exit) });
    self = adopted;
    this.#agent = adopted;
    this.#bound = bound;
    this.#isReady = true;
    this.#options.services.live.adopt(this);
    return adopted;
  }

  /** Stops the idle agent to make room; the next {@link ready} starts it again, and does not count this start as a failure. */
  release(): Promise<void> {
    this.#starts = [];
    this.#options.session.onReleased();
    return this.stop();
  }

  /** Ends the process, or the start of one, and resolves when it is gone. A later {@link ready} starts another. */
  stop(): Promise<void> {
    this.#stops += 1;
    // Also a start that waits for the end of an earlier stop.
    this.#starting?.abort.abort(endedWhileStarting());
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
    await starting?.done.catch(() => {});
  }

  #begin(): Start {
    const abort = new AbortController();
    const done = this.#start(abort.signal).finally(() => {
      this.#starting = undefined;
    });
    return { done, abort, callers: 0 };
  }

  async #start(signal: AbortSignal): Promise<Agent> {
    const { live, now, metrics } = this.#options.services;
    const stops = this.#stops;
    const notice = new StartNotice((state) => this.#options.session.onStart(state));
    let since: number | undefined;
    try {
      const spec = await this.#begun(signal);
      notice.begun();
      since = performance.now();
      this.#starts.push(now());
      const agent = await this.#fill(spec, () => this.#stops !== stops);
      metrics.agentStarted(performance.now() - since);
      live.started(this);
      notice.ended("ready");
      return agent;
    } catch (error) {
      notice.ended("failed");
      // A start that never began has not failed.
      if (since !== undefined) metrics.agentStartFailures.add();
      live.delete(this);
      throw live.isClosed ? daemonStopping() : error;
    }
  }

  /** Waits until the start may begin: for the former agent's end, for the check of the session, and for its turn. */
  async #begun(signal: AbortSignal): Promise<AgentSpec> {
    await this.#stopping;
    const spec = await this.#options.session.spec();
    this.#checkStarts(spec);
    this.#bound = { agent: spec.name, most: spec.maxLive };
    await this.#admitted(signal);
    return spec;
  }

  /** Waits for the start's turn, and says so when that takes some time. */
  async #admitted(signal: AbortSignal): Promise<void> {
    const { session, sessionId } = this.#options;
    const { live } = this.#options.services;
    const timer = setTimeout(
      () => session.onWaiting(agentsBusy(sessionId, live.reasonToWait(this))),
      AGENT_LIMITS.waitNoticeMs,
    );
    try {
      const admitted = live.admit(this, signal);
      if (live.isWaiting(this)) for (const refuse of this.#late ?? []) refuse();
      await admitted;
    } finally {
      clearTimeout(timer);
    }
  }

  async #fill(spec: AgentSpec, isStopped: () => boolean): Promise<Agent> {
    const { session, sessionId, services } = this.#options;
    const start = session.describeStart();
    let self: Agent | undefined;
    const onExit = (exit: AgentExit) => this.#exited(self, exit);
    const outlet = new AgentOutlet({ ...session.events(), onExit });
    const agent = await services.spawner.spawn(spec, sessionId, start.cwd, outlet);
    self = agent;
    this.#outlet = outlet;
    this.#agent = agent;
    this.#remember(agent);
    try {
      if (isStopped()) throw endedWhileStarting();
      const ready = await this.#open(agent, start);
      if (this.#agent !== agent || isStopped()) throw endedWhileStarting();
      this.#isReady = true;
      session.onReady(ready);
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
      return { ...(await agent.open(anew)), hasForgotten: true };
    }
  }

  #checkStarts(spec: AgentSpec): void {
    const { now, limits } = this.#options.services;
    const { sessionId } = this.#options;
    this.#starts = this.#starts.filter((at) => now() - at < limits.agentRestartWindowMs);
    if (this.#starts.length < limits.agentRestarts) return;
    throw new SessionError(
      "AGENT_UNSTABLE",
      `Agent "${spec.name}" was started ${this.#starts.length} times within ${limits.agentRestartWindowMs} ms. ` +
        "See the daemon's log for why it ends, then send again.",
      { sessionId },
    );
  }

  #remember({ pid, startTime }: Agent): void {
    const { committer, instanceId } = this.#options.services;
    const { sessionId } = this.#options;
    // Not awaited: the agent needs longer to start, and its environment names its daemon, too.
    committer.commit([{ kind: "agentProcess", row: { pid, startTime, sessionId, instanceId } }]).catch(() => {});
  }

  #exited(agent: Agent | undefined, exit: AgentExit): void {
    const { committer, live, metrics } = this.#options.services;
    metrics.agentExits.add(exit.expected ? "asked" : "itself");
    if (agent !== undefined) committer.commit([{ kind: "agentProcessGone", pid: agent.pid }]).catch(() => {});
    if (this.#agent === agent) {
      this.#agent = undefined;
      // It knows the agent, with its process and its pipes.
      this.#outlet = undefined;
      this.#isReady = false;
      live.delete(this);
    }
    this.#options.session.onExit(exit);
  }
}

function endedWhileStarting(): ProcessExitError {
  return new ProcessExitError("The agent ended while it was starting.", { exitCode: null, signal: null });
}
