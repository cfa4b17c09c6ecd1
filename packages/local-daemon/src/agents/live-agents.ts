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
 * The agents of a daemon that start or run, within three bounds: starts at a time, agents in all, agents of one key.
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
  readonly #countOf = new Map<string | undefined, number>();
  readonly #queue = new StartQueue();
  readonly #waiting = new Set<Occupant>();
  #isClosed = false;

  constructor(options: LiveAgentsOptions) {
    this.#options = options;
    this.#policies = options.policies ?? new KeyPolicies();
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

  /** The start is over, well or badly: another may begin. */
  started(occupant: Occupant): void {
    if (this.#endStart(occupant)) this.#pump();
  }

  /** Nothing of the agent is left. */
  delete(occupant: Occupant): void {
    this.#endStart(occupant);
    this.#releasing.delete(occupant);
    if (!this.#live.delete(occupant)) return;
    this.#count(occupant.owner, -1);
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
      const start = this.#queue.shift((owner) => this.#hasRoom(owner));
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
    this.#count(occupant.owner, 1);
    proceed();
  }

  #endStart(occupant: Occupant): boolean {
    clearTimeout(this.#starting.get(occupant));
    return this.#starting.delete(occupant);
  }

  #hasRoom(owner: string | undefined): boolean {
    return this.#live.size < this.#options.limits.liveAgents && !this.#isKeyFull(owner);
  }

  #isKeyFull(owner: string | undefined): boolean {
    return owner !== undefined && this.#countFor(owner) >= this.#boundOf(owner).most;
  }

  #boundOf(owner: string | undefined): Bound {
    const general = { name: "limits.liveAgentsPerKey", most: this.#options.limits.liveAgentsPerKey };
    return this.#policies.quota(owner, "liveAgents", general);
  }

  /** Stops as many idle agents as may start in their place. */
  #makeRoom(): void {
    if (this.#isClosed) return;
    for (const [owner, waiting] of this.#queue.waitingByOwner()) {
      if (this.#hasRoom(owner)) continue;
      // A key that has all its agents makes room for itself.
      const isOwn = this.#isKeyFull(owner);
      const isMeant = (occupant: Occupant) => !isOwn || occupant.owner === owner;
      const wanted = Math.min(waiting, this.#options.limits.agentStarts);
      let releasing = [...this.#releasing].filter(isMeant).length;
      while (releasing < wanted && this.#releaseIdle(isMeant, isOwn ? "liveAgentsPerKey" : "liveAgents"))
        releasing += 1;
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
  #releaseIdle(isMeant: (occupant: Occupant) => boolean, bound: keyof LiveAgentLimits): boolean {
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

  #countFor(owner: string | undefined): number {
    return this.#countOf.get(owner) ?? 0;
  }

  #count(owner: string | undefined, change: number): void {
    const count = this.#countFor(owner) + change;
    if (count === 0) this.#countOf.delete(owner);
    else this.#countOf.set(owner, count);
  }
}
