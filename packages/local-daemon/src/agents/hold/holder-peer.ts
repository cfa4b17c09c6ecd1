import type { Socket } from "node:net";
import {
  type AddUserMessageParams,
  type InboundNotification,
  type InboundRequest,
  isRecord,
  type Logger,
  ProtocolEngine,
  RpcCode,
  RpcFault,
  type TraceContext,
  traceContextOf,
} from "@daemon-sdk/protocol";
import { secretsEqual } from "../../access/index.js";
import { AGENT_LIMITS } from "../../limits/index.js";
import type { AgentEvents } from "../agent.js";
import { StdioTransport } from "../drivers/index.js";
import { carryError } from "./carried-error.js";
import type { HeldProcess } from "./held-process.js";
import { HOLD_CALLS, HOLD_VERSION } from "./hold-wire.js";

/** What a peer may do with its holder. */
export interface HeldAgents {
  /** The answer to a take, but for the version. */
  readonly listing: object;
  /** The held agent of a session. */
  find(sessionId: unknown): HeldProcess | undefined;
  /** The end of an agent was sent. */
  forget(sessionId: string): void;
  /** False when another daemon adopts, or the holder has ended. */
  adopt(peer: HolderPeer): boolean;
  release(peer: HolderPeer): void;
  left(peer: HolderPeer): void;
}

/** Options of {@link HolderPeer}. */
export interface HolderPeerOptions {
  readonly socket: Socket;
  readonly holder: HeldAgents;
  readonly secret: string;
  readonly logger: Logger;
}

/** A daemon at the socket of a holder: its calls, and the events that it is sent. */
export class HolderPeer {
  readonly #options: HolderPeerOptions;
  readonly #transport: StdioTransport;
  readonly #engine: ProtocolEngine;
  readonly #passed = new Set<HeldProcess>();
  /** Those that the daemon wants paused. */
  readonly #paused = new Set<HeldProcess>();
  #isKnown = false;
  #isFull = false;

  constructor(options: HolderPeerOptions) {
    const { socket, logger, holder } = options;
    this.#options = options;
    socket.on("error", () => {});
    this.#transport = new StdioTransport({
      input: socket,
      output: socket,
      logger,
      loopUse: "held agents",
      maxLineBytes: AGENT_LIMITS.holdLineBytes,
      // It calls back below this number, so an agent that is paused at it goes on.
      highWaterBytes: AGENT_LIMITS.holdWaitingBytes,
    });
    this.#transport.onWritable = () => this.#setFull(false);
    this.#engine = new ProtocolEngine(this.#transport, { prefix: "daemon", logger });
    this.#engine.onRequest = (request) => this.#answer(request);
    this.#engine.onNotification = (notification) => this.#notified(notification);
    this.#engine.onClose = () => {
      socket.destroy();
      holder.left(this);
    };
  }

  /** Sends what waits of an agent's events, and later ones; the agent is read again. */
  pass(held: HeldProcess): void {
    this.#passed.add(held);
    held.outlet.pass(this.#events(held));
    this.#regulate(held);
  }

  /** Sends no more events. */
  keepAll(): void {
    this.#passed.clear();
  }

  close(): void {
    this.#engine.close();
  }

  /** The events of an agent as notifications. */
  #events(held: HeldProcess): AgentEvents {
    const send = (name: keyof AgentEvents, ...args: unknown[]) => this.#send(held, name, args);
    return {
      onNotification: (notification, meta) => send("onNotification", notification, meta),
      onRequest: ({ id, method, params }) => send("onRequest", { id, method, params }),
      onFault: (fault) => send("onFault", fault),
      onConversation: (agentSessionId) => send("onConversation", agentSessionId),
      onTurnStarted: () => send("onTurnStarted"),
      onTurnEnded: (end) => send("onTurnEnded", end),
      onExit: (exit) => {
        send("onExit", exit);
        this.#passed.delete(held);
        this.#options.holder.forget(held.sessionId);
      },
    };
  }

  #send({ sessionId }: HeldProcess, name: string, args: readonly unknown[]): void {
    this.#engine.notify(HOLD_CALLS.event, { sessionId, name, args });
    if (this.#transport.bufferedBytes >= AGENT_LIMITS.holdWaitingBytes) this.#setFull(true);
  }

  /** While the daemon does not read, the agents' pipes fill, and the agents wait. */
  #setFull(isFull: boolean): void {
    if (this.#isFull === isFull) return;
    this.#isFull = isFull;
    for (const held of this.#passed) this.#regulate(held);
  }

  #regulate(held: HeldProcess): void {
    held.agent.setPaused(this.#isFull || this.#paused.has(held));
  }

  /** Failures of agents are answers, so that nothing of them is lost on the way. */
  async #answer({ method, params }: InboundRequest): Promise<unknown> {
    if (method === HOLD_CALLS.take) return this.#take(params);
    if (!this.#isKnown) throw new RpcFault(RpcCode.invalidRequest, "Take first.");
    const { holder } = this.#options;
    if (method === HOLD_CALLS.adopt) return { isAdopted: holder.adopt(this) };
    if (method === HOLD_CALLS.release) {
      holder.release(this);
      return {};
    }
    try {
      return { done: (await this.#call(method, params)) ?? null };
    } catch (error) {
      if (RpcFault.is(error)) throw error;
      return { failed: carryError(error) };
    }
  }

  #take({ secret, version }: Record<string, unknown>): object {
    if (typeof secret !== "string" || !secretsEqual(secret, this.#options.secret)) {
      throw new RpcFault(RpcCode.invalidRequest, "Another secret is needed.");
    }
    if (version !== HOLD_VERSION) {
      throw new RpcFault(RpcCode.invalidRequest, `This holder speaks version ${HOLD_VERSION}.`);
    }
    this.#isKnown = true;
    return { version: HOLD_VERSION, ...this.#options.holder.listing };
  }

  async #call(method: string, params: Record<string, unknown>): Promise<unknown> {
    const held = this.#options.holder.find(params.sessionId);
    if (held === undefined) throw new RpcFault(RpcCode.invalidParams, "No agent of that session is held.");
    const { agent } = held;
    switch (method) {
      case HOLD_CALLS.prompt:
        held.prompted = agent.prompt(params.prompt as AddUserMessageParams, traceIn(params.trace));
        held.prompted.catch(() => {});
        return held.prompted;
      case HOLD_CALLS.prompted:
        return held.prompted;
      case HOLD_CALLS.interrupt:
        return agent.interrupt();
      case HOLD_CALLS.call:
        return agent.call(
          String(params.method),
          isRecord(params.params) ? params.params : {},
          Number(params.timeoutMs),
        );
      case HOLD_CALLS.stop:
        return agent.stop();
      default:
        throw new RpcFault(RpcCode.methodNotFound, `Method not found: ${method}`);
    }
  }

  #notified({ method, params }: InboundNotification): void {
    const held = this.#isKnown ? this.#options.holder.find(params.sessionId) : undefined;
    if (held === undefined) return;
    const request = held.outlet.requests.get(String(params.id));
    switch (method) {
      case HOLD_CALLS.pause:
        if (params.isPaused === true) this.#paused.add(held);
        else this.#paused.delete(held);
        if (this.#passed.has(held)) this.#regulate(held);
        break;
      case HOLD_CALLS.respond:
        if (isRecord(params.result)) request?.respond(params.result);
        break;
      case HOLD_CALLS.refuse:
        request?.refuse(String(params.message));
        break;
    }
  }
}

/** Daemons of older versions send none. */
function traceIn(value: unknown): TraceContext | undefined {
  return isRecord(value) ? traceContextOf(value) : undefined;
}
