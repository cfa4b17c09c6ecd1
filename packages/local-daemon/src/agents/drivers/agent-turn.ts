import { type AddUserMessageParams, newId, type SessionNotification, TurnTracker } from "@daemon-sdk/protocol";
import type { AgentTurnEnd } from "../agent.js";

/** Whom an {@link AgentTurn} tells; each is called at most once. */
export interface AgentTurnEvents {
  onTurnStarted(): void;
  onTurnEnded(end: AgentTurnEnd): void;
}

/** Keys of `agent_turn_completed` that are not details: the daemon writes its own. */
const OWN_KEYS = new Set(["type", "reason", "turnId", "sessionId"]);

/**
 * One prompt on its way through an agent: from the request to its one end.
 *
 * Nothing is told before the agent acknowledged the prompt, and what it said earlier is told then: a prompt that was
 * refused has no turn, and an agent may write its acknowledgement late.
 */
export class AgentTurn {
  /** JSON-RPC id of `add_user_message`; the agent repeats it in `create_message` and in `queued_messages_discarded`. */
  readonly requestId: string = newId();

  readonly #events: AgentTurnEvents;
  readonly #tracker: TurnTracker;
  readonly #skipsAgentLoop: boolean;
  #isAccepted = false;
  #isStarted = false;
  #isStartTold = false;
  #isInterrupted = false;
  #end: AgentTurnEnd | undefined;
  #isEndTold = false;

  constructor(params: AddUserMessageParams, events: AgentTurnEvents) {
    this.#events = events;
    this.#skipsAgentLoop = params.skipAgentLoop === true;
    const messageId = params.messageId ?? this.requestId;
    // Foreign agents make no promise about turns, ours keeps the one that counts: `turnId` is the message's id.
    this.#tracker = new TurnTracker({ messageId, requestId: this.requestId, turns: false });
  }

  /** True once its end is known, told or not. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** True once its end was told: the next prompt may come. */
  get isDone(): boolean {
    return this.#isEndTold;
  }

  /** The agent acknowledged the prompt: from now on there will be exactly one end. */
  accept(): void {
    this.#isAccepted = true;
    this.tell();
  }

  /** An interrupt was sent; an agent that then only falls idle was cancelled, not finished. */
  interrupted(): void {
    this.#isInterrupted = true;
  }

  /**
   * Takes a notification; true when it is the word for the turn's end, and so not to be passed on. Pass on what is to be
   * passed on, then call {@link tell}: nobody hears of an end before the notification that brought it.
   */
  observe(notification: SessionNotification): boolean {
    if (this.isOver) return false;
    const end = this.#tracker.observe(notification);
    const { state } = this.#tracker;
    this.#isStarted ||= state !== "waiting" && state !== "behind";
    if (end?.by === "completed") this.#end = { reason: end.reason, details: detailsOf(notification) };
    else if (end?.by === "idle") this.#end = { reason: this.#isInterrupted ? "cancelled" : "completed", details: {} };
    else if (this.#skipsAgentLoop && state === "started") this.#end = { reason: "completed", details: {} };
    else if (this.#isDiscarded(notification)) this.#end = { reason: "cancelled", details: {} };
    return end !== undefined;
  }

  /** Ends the turn for a reason that no notification told: the agent died, or took back its acknowledgement. */
  fail(reason: string, details: Readonly<Record<string, unknown>>): void {
    if (!this.isOver) this.#end = { reason, details };
    this.tell();
  }

  /** The agent had queued our prompt behind something, and an interrupt threw it away: no other end will come. */
  #isDiscarded(notification: SessionNotification): boolean {
    return notification.type === "queued_messages_discarded" && notification.requestId === this.requestId;
  }

  /** Tells what is known and was not told. */
  tell(): void {
    if (!this.#isAccepted) return;
    if (this.#isStarted && !this.#isStartTold) {
      this.#isStartTold = true;
      this.#events.onTurnStarted();
    }
    if (this.#end === undefined || this.#isEndTold) return;
    this.#isEndTold = true;
    this.#events.onTurnEnded(this.#end);
  }
}

function detailsOf(notification: SessionNotification): Record<string, unknown> {
  return Object.fromEntries(Object.entries(notification).filter(([key]) => !OWN_KEYS.has(key)));
}
