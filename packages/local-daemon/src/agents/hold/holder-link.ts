import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type InboundNotification,
  isRecord,
  type Logger,
  ProtocolEngine,
  ProtocolError,
  type SessionId,
} from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../limits/index.js";
import type { AgentEvents } from "../agent.js";
import { StdioTransport } from "../drivers/index.js";
import { reapLeftovers } from "../reaper.js";
import { HeldAgent } from "./held-agent.js";
import { HOLD_CALLS, HOLD_VERSION, type HolderAddress, isTaken, type ListedAgent, type Taken } from "./hold-wire.js";

/** Options of {@link HolderLink.open}. */
export interface HolderLinkOptions extends HolderAddress {
  readonly logger: Logger;
}

/** A daemon's link to a holder of its agents. */
export class HolderLink {
  readonly address: HolderAddress;
  readonly #socket: Socket;
  readonly #engine: ProtocolEngine;
  readonly #logger: Logger;
  readonly #agents = new Map<string, HeldAgent>();
  /** Sessions whose agents the holder still has. */
  #running = new Set<string>();
  #taken: Taken | undefined;
  /** Whether the agents are this daemon's: it has adopted, and has not released. */
  #hasAdopted = false;
  #isClosed = false;

  /**
   * Connects and takes. Rejects when nobody listens, or with a `ProtocolError` when the holder refuses; the agents are the
   * holder's as before.
   */
  static async open(options: HolderLinkOptions): Promise<HolderLink> {
    const socket = connect(options.socketPath);
    await once(socket, "connect");
    const link = new HolderLink(socket, options);
    try {
      await link.#take(options.secret);
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  private constructor(socket: Socket, { logger, socketPath, secret }: HolderLinkOptions) {
    this.address = { socketPath, secret };
    this.#socket = socket;
    this.#logger = logger;
    socket.on("error", () => {});
    const maxLineBytes = AGENT_LIMITS.holdLineBytes;
    const transport = new StdioTransport({
      input: socket,
      output: socket,
      logger,
      loopUse: "held agents",
      maxLineBytes,
    });
    this.#engine = new ProtocolEngine(transport, { prefix: "daemon", logger });
    this.#engine.onNotification = (notification) => this.#notified(notification);
    this.#engine.onClose = () => void this.#ended();
  }

  /** Whether there is something to adopt or to release. */
  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** What the holder's daemon left to its successor; undefined when another one adopted before. */
  get estate(): unknown {
    return this.#taken?.estate;
  }

  /** The agents that the holder had at the take. */
  get listed(): readonly ListedAgent[] {
    return this.#taken?.agents ?? [];
  }

  /** The start of the daemon that the agents' marks name. */
  get instanceId(): string {
    return this.#taken?.instanceId ?? "";
  }

  /** The agent of a session, with a receiver of its events, which come once {@link adopt} was called. */
  agentOf(sessionId: SessionId, events: AgentEvents, hasPrompt: boolean): HeldAgent {
    const listed = this.listed.find((one) => one.sessionId === sessionId);
    if (listed === undefined) {
      throw new ProtocolError("INVALID_RESULT", `The holder has no agent of session ${sessionId}.`);
    }
    const agent = new HeldAgent({ ...listed, sessionId, engine: this.#engine, events, hasPrompt });
    this.#agents.set(sessionId, agent);
    return agent;
  }

  /**
   * Receives the events of all agents from now on; the agents end if this process does. Agents that nobody adopted are ended.
   * Rejects when another daemon adopts, or the holder is gone.
   */
  async adopt(): Promise<void> {
    const answer = await this.#engine.requestNamed(HOLD_CALLS.adopt, {});
    if (!isRecord(answer) || answer.isAdopted !== true) {
      throw new ProtocolError("INVALID_RESULT", "Another daemon adopts the held agents.");
    }
    this.#hasAdopted = true;
    for (const { sessionId } of this.listed) {
      if (!this.#agents.has(sessionId)) this.#engine.requestNamed(HOLD_CALLS.stop, { sessionId }).catch(() => {});
    }
    if (this.#running.size === 0) this.close();
  }

  /**
   * Lets the holder keep the agents for the next daemon. Resolves when no event comes any more: to false when the holder has ended, with
   * its last agent or by a kill, and nothing is left to hold.
   */
  async release(): Promise<boolean> {
    this.#hasAdopted = false;
    this.#isClosed = true;
    try {
      await this.#engine.requestNamed(HOLD_CALLS.release, {});
      return true;
    } catch (error) {
      this.#logger.debug({ error: String(error) }, "a holder of agents has ended before its release");
      return false;
    } finally {
      this.#engine.close();
    }
  }

  /** Closes the link. The holder ends what it holds, if this daemon adopted and did not release. */
  close(): void {
    this.#isClosed = true;
    this.#engine.close();
  }

  async #take(secret: string): Promise<void> {
    const taken = await this.#engine.requestNamed(HOLD_CALLS.take, { secret, version: HOLD_VERSION });
    if (!isTaken(taken)) throw new ProtocolError("INVALID_RESULT", "The holder answered with another version.");
    this.#taken = taken;
    this.#running = new Set(taken.agents.map(({ sessionId }) => sessionId));
  }

  #notified({ method, params }: InboundNotification): void {
    if (method !== HOLD_CALLS.event || !Array.isArray(params.args)) return;
    const sessionId = String(params.sessionId);
    this.#agents.get(sessionId)?.receive(String(params.name), params.args);
    if (params.name !== "onExit") return;
    this.#agents.delete(sessionId);
    this.#running.delete(sessionId);
    if (this.#running.size === 0) this.close();
  }

  /** A holder that was killed may have left an agent that ignores the end of its pipes. */
  async #ended(): Promise<void> {
    this.#isClosed = true;
    this.#socket.destroy();
    // Before it was adopted, the former daemon still has the agents, and goes on.
    if (this.#hasAdopted) await this.endAgents();
  }

  /** Ends the adopted agents, whose holder is gone or out of reach. */
  async endAgents(): Promise<void> {
    const lost = [...this.#agents.entries()];
    this.#agents.clear();
    if (lost.length === 0) return;
    const { instanceId } = this;
    this.#logger.warn({ agents: lost.length }, "the process that held agents is gone: its agents are ended");
    const rows = lost.map(([sessionId, { pid, startTime }]) => ({
      ...{ sessionId: sessionId as SessionId, pid, startTime, instanceId },
    }));
    await reapLeftovers(rows, "", this.#logger);
    for (const [, agent] of lost) agent.lost();
  }
}
