import type { Logger } from "@daemon-sdk/protocol";
import { type Bound, KeyPolicies } from "../access/index.js";
import { AGENT_LIMITS, type LiveAgentLimits } from "../limits/index.js";
import { daemonStopping } from "../refusals.js";
import type { Occupant } from "./occupant.js";
import { StartQueue, type WaitingStart } from "./start-queue.js";

/** Options of {@link LiveAgents}. */
export interface LiveAgentsOptions {
  readonly limits: LiveAgentLimits;
  /** Quotas of keys. Default: none has one. */
  readonly policies?: KeyPolicies | undefined;
  readonly now: () => number;
  readonly logger: Logger;
}

/**
 * The agents of a daemon that start or run, within four bounds: starts at a time, agents in all, agents of one key, and processes
 * of one configured agent where it has such a bound.
 *
 * A start past a bound waits; owners take turns. When agents are as many as may be, the one that has been idle longest is stopped
 * for the start that waits; an agent at work never is. Near the bound, agents that have been idle for a minute are stopped
 * ahead, so that the next start need not wait for the end of a process. When the daemon stops, all of them end, and none starts
 * after that.
 */
export class LiveAgents {
  readonly #options: LiveAgentsOptions;
  readonly #policies: KeyPolicies;
  /** Those that start or run. */
  readonly #live = new Set<Occupant>();
  /** Those that start, each with what ends its share in the starts. */
  readonly #starting = new Map<Occupant, NodeJS.Timeout>();
  readonly #releasing = new Set<Occupant>();
  /** Live agents of each owner … */
  readonly #ofOwner = new Counts<string | undefined>();
  /** … and processes of each configured agent. */
  readonly #ofAgent = new Counts<string>();
  readonly #queue = new StartQueue();
  readonly #waiting = new Set<Occupant>();
  #isClosed = false;

  constructor(options: LiveAgentsOptions) {
    this.#options = options;
    this.#policies = options.policies ?? new KeyPolicies();
  }

  /** How many start or run, how many of them start, and how many wait for their start. */
  get counts(): { readonly live: number; readonly starting: number; readonly waiting: number } {
    return { live: this.#live.size, starting: this.#starting.size, waiting: this.#waiting.size };
  }

  /** Whether the start of that one waits, because as many start or run as may. */
  isWaiting(occupant: Occupant): boolean {
    return this.#waiting.has(occupant);
  }

  /** Whether {@link close} was called. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Resolves when the agent may be started. Call {@link started} when it has opened its conversation or could not, and
   * {@link delete} when nothing of it is left. Rejects with `DAEMON_STOPPING` once the daemon ends, and with the signal's
   * reason; the occupant is not counted then.
   */
  async admit(occupant: Occupant, signal: AbortSignal): Promise<void> {
    if (this.#isClosed) throw daemonStopping();
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        if (this.#queue.remove(start)) start.refuse(signal.reason);
      };
      const settle = (settled: () => void) => {
        this.#waiting.delete(occupant);
        signal.removeEventListener("abort", onAbort);
        settled();
      };
      const start: WaitingStart = {
        occupant,
        proceed: () => settle(resolve),
        refuse: (error) => settle(() => reject(error)),
      };
      signal.addEventListener("abort", onAbort);
      this.#waiting.add(occupant);
      this.#queue.push(start);
      this.#pump();
    });
  }

  /** Counts an agent that runs already, whatever the bounds: an earlier daemon started it. */
  adopt(occupant: Occupant): void {
    this.#live.add(occupant);
    this.#count(occupant, 1);
  }

  /** The start is over, well or badly: another may begin. */
  started(occupant: Occupant): void {
    if (this.#endStart(occupant)) this.#pump();
  }

  /** Nothing of the agent is left. */
  delete(occupant: Occupant): void {
    this.#endStart(occupant);
    this.#releasing.delete(occupant);
    if (!this.#live.delete(occupant)) return;
    this.#count(occupant, -1);
    this.#pump();
  }

  /** An agent may have become idle: whoever waits for its room gets it. To be called from time to time, too. */
  recheck(): void {
    this.#pump();
    this.#trim();
  }

  /** Why an occupant waits, in words for people. */
  reasonToWait(occupant: Occupant): string {
    const { agentStarts, liveAgents } = this.#options.limits;
    const { owner } = occupant;
    if (this.#isKeyFull(owner)) {
      const { name, most } = this.#boundOf(owner);
      return `At most ${most} agents of this key run (${name}).`;
    }
    const { bound } = occupant;
    if (bound !== undefined && this.#isAgentFull(occupant)) {
      return `At most ${bound.most} of the agent "${bound.agent}" run (agents.${bound.agent}.maxLive).`;
    }
    if (this.#live.size >= liveAgents) return `At most ${liveAgents} agents run (limits.liveAgents).`;
    const before = this.#queue.before(occupant);
    return `At most ${agentStarts} start at a time (limits.agentStarts), and ${before} of yours wait before it.`;
  }

  /** Ends every agent, every start of one, and every wait for one; resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#waiting, ...this.#live].map((occupant) => occupant.stop()));
  }

  #pump(): void {
    const { agentStarts } = this.#options.limits;
    while (!this.#isClosed && this.#starting.size < agentStarts) {
      const start = this.#queue.shift((occupant) => this.#hasRoom(occupant));
      if (start === undefined) break;
      this.#begin(start);
    }
    this.#makeRoom();
  }

  /**
   * A start keeps a core busy for a moment. One that takes longer waits for something else, such as a download, and must not
   * keep others from starting.
   */
  #begin({ occupant, proceed }: WaitingStart): void {
    const timer = setTimeout(() => this.started(occupant), AGENT_LIMITS.startShareMs).unref();
    this.#live.add(occupant);
    this.#starting.set(occupant, timer);
    this.#count(occupant, 1);
    proceed();
  }

  #endStart(occupant: Occupant): boolean {
    clearTimeout(this.#starting.get(occupant));
    return this.#starting.delete(occupant);
  }

  #hasRoom(occupant: Occupant): boolean {
    const isFull = this.#live.size >= this.#options.limits.liveAgents;
    return !isFull && !this.#isKeyFull(occupant.owner) && !this.#isAgentFull(occupant);
  }

  #isAgentFull({ bound }: Occupant): boolean {
    return bound?.most !== undefined && this.#ofAgent.of(bound.agent) >= bound.most;
  }

  #isKeyFull(owner: string | undefined): boolean {
    return owner !== undefined && this.#ofOwner.of(owner) >= this.#boundOf(owner).most;
  }

  #boundOf(owner: string | undefined): Bound {
    const general = { name: "limits.liveAgentsPerKey", most: this.#options.limits.liveAgentsPerKey };
    return this.#policies.quota(owner, "liveAgents", general);
  }

  /** Stops as many idle agents as may start in their place. */
  #makeRoom(): void {
    if (this.#isClosed) return;
    for (const { first, waiting } of this.#queue.groups()) {
      if (this.#hasRoom(first)) continue;
      // A key that has all its agents makes room for itself, and so does an agent that runs as often as it may.
      const isOwn = this.#isKeyFull(first.owner);
      const isSame = this.#isAgentFull(first);
      const isMeant = ({ owner, bound }: Occupant) =>
        (!isOwn || owner === first.owner) && (!isSame || bound?.agent === first.bound?.agent);
      const full = isOwn ? "liveAgentsPerKey" : isSame ? "maxLive" : "liveAgents";
      const wanted = Math.min(waiting, this.#options.limits.agentStarts);
      let releasing = [...this.#releasing].filter(isMeant).length;
      while (releasing < wanted && this.#releaseIdle(isMeant, full)) releasing += 1;
    }
  }

  /** Stops agents ahead that have had nothing to do for some time, when nearly as many run as may. */
  #trim(): void {
    const { liveAgents } = this.#options.limits;
    const near = liveAgents - Math.floor(liveAgents / AGENT_LIMITS.nearBoundShare);
    const restedBefore = this.#options.now() - AGENT_LIMITS.restMs;
    while (this.#live.size - this.#releasing.size > near) {
      const isRested = ({ idleSince }: Occupant) => idleSince !== undefined && idleSince <= restedBefore;
      if (!this.#releaseIdle(isRested, "liveAgents")) return;
    }
  }

  /** Stops the agent that has been idle longest. False when there is none. */
  #releaseIdle(isMeant: (occupant: Occupant) => boolean, bound: keyof LiveAgentLimits | "maxLive"): boolean {
    let oldest: Occupant | undefined;
    let oldestSince = Number.POSITIVE_INFINITY;
    for (const occupant of this.#live) {
      const { idleSince } = occupant;
      if (idleSince === undefined || idleSince >= oldestSince) continue;
      if (this.#releasing.has(occupant) || !isMeant(occupant)) continue;
      oldest = occupant;
      oldestSince = idleSince;
    }
    if (oldest === undefined) return false;
    this.#releasing.add(oldest);
    this.#options.logger.info(
      { bound, agents: this.#live.size, waiting: this.#queue.size },
      "an idle agent is stopped to make room",
    );
    void oldest.release();
    return true;
  }

  #count({ owner, bound }: Occupant, change: number): void {
    this.#ofOwner.add(owner, change);
    if (bound !== undefined) this.#ofAgent.add(bound.agent, change);
  }
}

/** Numbers by name. A name with 0 is not kept. */
class Counts<Name> {
  readonly #counts = new Map<Name, number>();

  of(name: Name): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: Name, change: number): void {
    const count = this.of(name) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
