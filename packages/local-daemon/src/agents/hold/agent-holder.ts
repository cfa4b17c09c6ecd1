import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../limits/index.js";
import type { HeldProcess } from "./held-process.js";
import type { HolderAddress } from "./hold-wire.js";
import { type HolderEvent, type HolderState, nextHolderState } from "./holder.machine.js";
import { type HeldAgents, HolderPeer } from "./holder-peer.js";

/** Options of {@link AgentHolder.open}. */
export interface AgentHolderOptions extends HolderAddress {
  /** The start of the daemon that started the agents. */
  readonly instanceId: string;
  readonly agents: readonly HeldProcess[];
  /** What the next daemon gets beside the agents. */
  readonly estate: unknown;
  readonly logger: Logger;
  /** How long it waits for a daemon; default `AGENT_LIMITS.holdMs`. */
  readonly holdMs?: number;
}

/**
 * Keeps the agents of a daemon that handed over, for the next daemons: it has their pipes and their drivers, and a daemon adopts
 * over a unix socket. It ends with the last agent.
 *
 * Nothing is left behind: a daemon that goes without a release, or none that comes in time, ends all agents.
 */
export class AgentHolder implements HeldAgents {
  /** Resolves when a daemon has adopted. Rejects never; pending for ever when the holder ends before. */
  readonly adopted: Promise<void>;
  /** Resolves when no agent is left and the socket is closed. */
  readonly ended: Promise<void>;
  readonly #options: AgentHolderOptions;
  readonly #server: Server;
  readonly #held = new Map<string, HeldProcess>();
  readonly #peers = new Set<HolderPeer>();
  #forsaken: (() => void)[] = [];
  #estate: unknown;
  #state: HolderState = "waiting";
  #adopter: HolderPeer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #markAdopted!: () => void;
  #markEnded!: () => void;

  /** Listens. Every agent's events wait from now on. Rejects when the socket cannot be bound; the agents are paused then. */
  static async open(options: AgentHolderOptions): Promise<AgentHolder> {
    const holder = new AgentHolder(options);
    // 0600 from birth: `listen` binds before it returns.
    const umask = process.umask(0o177);
    const listening = once(holder.#server.listen(options.socketPath), "listening");
    process.umask(umask);
    await listening;
    holder.#wait();
    return holder;
  }

  private constructor(options: AgentHolderOptions) {
    this.#options = options;
    this.#estate = options.estate;
    this.adopted = new Promise((resolve) => {
      this.#markAdopted = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#markEnded = resolve;
    });
    this.#server = createServer((socket) => this.#accept(socket));
    for (const held of options.agents) this.#keep(held);
  }

  /** Resolves when no daemon that could adopt is connected, now or later. */
  get forsaken(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#peers.size === 0) resolve();
      else this.#forsaken.push(resolve);
    });
  }

  /** What a take is answered with. */
  get listing(): { instanceId: string; agents: object[]; estate?: unknown } {
    const agents = [...this.#held.values()].map(({ sessionId, agent: { pid, startTime } }) => ({
      ...{ sessionId, pid, startTime },
    }));
    const { instanceId } = this.#options;
    return { instanceId, agents, ...(this.#estate === undefined ? {} : { estate: this.#estate }) };
  }

  /** The held agent of a session. */
  find(sessionId: unknown): HeldProcess | undefined {
    return typeof sessionId === "string" ? this.#held.get(sessionId) : undefined;
  }

  /** Ends all agents, and then the holder. */
  async close(): Promise<void> {
    this.#step("expire");
    this.#step("lose");
    await this.ended;
  }

  #accept(socket: Socket): void {
    const { secret, logger } = this.#options;
    this.#peers.add(new HolderPeer({ socket, holder: this, secret, logger }));
  }

  #keep(held: HeldProcess): void {
    this.#held.set(held.sessionId, held);
    held.outlet.hold();
    held.agent.setPaused(true);
  }

  /** An agent has ended, and its daemon was sent the end. */
  forget(sessionId: string): void {
    this.#held.delete(sessionId);
    if (this.#held.size === 0 && this.#state === "ended") this.#finish();
  }

  adopt(peer: HolderPeer): boolean {
    if (!this.#step("adopt")) return false;
    this.#adopter = peer;
    this.#estate = undefined;
    for (const held of this.#held.values()) peer.pass(held);
    this.#markAdopted();
    return true;
  }

  release(peer: HolderPeer): void {
    if (this.#adopter !== peer) return;
    this.#adopter = undefined;
    peer.keepAll();
    for (const held of this.#held.values()) this.#keep(held);
    this.#step(this.#held.size === 0 ? "empty" : "release");
  }

  left(peer: HolderPeer): void {
    this.#peers.delete(peer);
    if (this.#peers.size === 0) for (const resolve of this.#forsaken.splice(0)) resolve();
    if (this.#adopter !== peer) return;
    this.#adopter = undefined;
    this.#step(this.#held.size === 0 ? "empty" : "lose");
  }

  /** The only place that writes the state. False when the event has no meaning now. */
  #step(event: HolderEvent): boolean {
    const next = nextHolderState(this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    clearTimeout(this.#timer);
    if (next === "waiting") this.#wait();
    if (next === "ended") this.#end(event);
    return true;
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#step("expire"), this.#options.holdMs ?? AGENT_LIMITS.holdMs);
  }

  #end(event: HolderEvent): void {
    const { logger } = this.#options;
    if (this.#held.size > 0) {
      logger.warn(
        { reason: event, agents: this.#held.size },
        "no daemon adopts the held agents any more: they are ended",
      );
    }
    for (const held of [...this.#held.values()]) {
      void held.agent.stop().finally(() => this.forget(held.sessionId));
    }
    if (this.#held.size === 0) this.#finish();
  }

  #finish(): void {
    for (const peer of this.#peers) peer.close();
    this.#server.close(() => this.#markEnded());
  }
}
