import type { EnvelopeMeta, SessionNotification } from "@daemon-sdk/protocol";
import type { AgentEvents, AgentExit, AgentFault, AgentRequest, AgentTurnEnd } from "../agent.js";

/**
 * The events of one agent on their way to their receiver. The receiver can be replaced: after {@link hold} events wait in their
 * order, and {@link pass} gives them to the next receiver.
 *
 * It keeps the agent's open requests, because a request outlives its receiver, too.
 */
export class AgentOutlet implements AgentEvents {
  #receiver: AgentEvents | undefined;
  #waiting: ((receiver: AgentEvents) => void)[] = [];
  readonly #requests = new Map<string, AgentRequest>();

  constructor(receiver: AgentEvents) {
    this.#receiver = receiver;
  }

  /** Requests of the agent that have no answer yet, by the agent's id. */
  get requests(): ReadonlyMap<string, AgentRequest> {
    return this.#requests;
  }

  /** Keeps events from now on, until {@link pass}. */
  hold(): void {
    this.#receiver = undefined;
  }

  /** Delivers what waits, and later events, to `receiver`. */
  pass(receiver: AgentEvents): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#receiver = receiver;
    for (const deliver of waiting) deliver(receiver);
  }

  onNotification(notification: SessionNotification, meta: EnvelopeMeta | undefined, json?: string): void {
    // By itself: nearly every event is one.
    if (this.#receiver !== undefined) this.#receiver.onNotification(notification, meta, json);
    else this.#waiting.push((receiver) => receiver.onNotification(notification, meta));
  }

  onRequest(request: AgentRequest): void {
    const open: AgentRequest = {
      ...request,
      respond: (result) => {
        if (this.#requests.delete(request.id)) request.respond(result);
      },
      refuse: (message) => {
        if (this.#requests.delete(request.id)) request.refuse(message);
      },
    };
    this.#requests.set(request.id, open);
    this.#deliver((receiver) => receiver.onRequest(open));
  }

  onFault(fault: AgentFault): void {
    this.#deliver((receiver) => receiver.onFault(fault));
  }

  onConversation(agentSessionId: string): void {
    this.#deliver((receiver) => receiver.onConversation(agentSessionId));
  }

  onTurnStarted(): void {
    this.#deliver((receiver) => receiver.onTurnStarted());
  }

  onTurnEnded(end: AgentTurnEnd): void {
    this.#deliver((receiver) => receiver.onTurnEnded(end));
  }

  onExit(exit: AgentExit): void {
    this.#deliver((receiver) => receiver.onExit(exit));
  }

  #deliver(deliver: (receiver: AgentEvents) => void): void {
    if (this.#receiver === undefined) this.#waiting.push(deliver);
    else deliver(this.#receiver);
  }
}
