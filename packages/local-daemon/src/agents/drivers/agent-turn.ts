import {
  type AddUserMessageParams,
  newId,
  type SessionNotification,
  SessionState,
  type TrackedTurn,
  type TurnEnd,
} from "@daemon-sdk/protocol";
import type { AgentTurnEnd } from "../agent.js";

/** Callbacks of an {@link AgentTurn}; each is called at most once. */
export interface AgentTurnEvents {
  onTurnStarted(): void;
  onTurnEnded(end: AgentTurnEnd): void;
}

/** Keys of `agent_turn_completed` that are not details: the daemon writes its own. */
const OWN_KEYS = new Set(["type", "reason", "turnId", "sessionId"]);

/**
 * One prompt on its way through an agent: from the request to its one end.
 *
 * No callback is called before the agent acknowledged the prompt; what the agent said earlier is reported then. A prompt that
 * was refused has no turn, and an agent may write its acknowledgement late.
 */
export class AgentTurn {
  /** JSON-RPC id of `add_user_message`; the agent repeats it in `create_message` and in `queued_messages_discarded`. */
  readonly requestId: string = newId();

  readonly #events: AgentTurnEvents;
  /** Foreign agents make no promise about turns, ours keeps the one that counts: `turnId` is the message's id. */
  readonly #state = new SessionState({ turns: false });
  readonly #turn: TrackedTurn;
  readonly #skipsAgentLoop: boolean;
  #isAccepted = false;
  #isStarted = false;
  #isStartReported = false;
  #isInterrupted = false;
  #end: AgentTurnEnd | undefined;
  #isEndReported = false;

  constructor(params: AddUserMessageParams, events: AgentTurnEvents) {
    this.#events = events;
    this.#skipsAgentLoop = params.skipAgentLoop === true;
    const { requestId } = this;
    this.#turn = this.#state.expect({ messageId: params.messageId ?? requestId, requestId });
  }

  /** True once its end is known, reported or not. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** True once its end was reported: the next prompt may come. */
  get isDone(): boolean {
    return this.#isEndReported;
  }

  /** The agent acknowledged the prompt: from now on there will be exactly one end. */
  accept(): void {
    this.#isAccepted = true;
    this.report();
  }

  /** An interrupt was sent; an agent that then only falls idle was cancelled, not finished. */
  interrupted(): void {
    this.#isInterrupted = true;
  }

  /**
   * Takes a notification; true when it states the turn's end, and so is not to be passed on. Pass on what is to be passed on,
   * then call {@link report}: the notification that brought an end comes before the end.
   */
  observe(notification: SessionNotification): boolean {
    if (this.isOver) return false;
    this.#state.apply(notification);
    const { state, end, isUntouched } = this.#turn;
    this.#isStarted ||= !isUntouched;
    if (end !== undefined) this.#end = this.#endOf(end, notification);
    else if (this.#skipsAgentLoop && state === "started") this.#end = { reason: "completed", details: {} };
    return end !== undefined && end.by !== "discarded";
  }

  /** Ends the turn for a reason that no notification stated: the agent died, or took back its acknowledgement. */
  fail(reason: string, details: Readonly<Record<string, unknown>>): void {
    if (!this.isOver) this.#end = { reason, details };
    this.report();
  }

  /** Reports what is known and was not reported yet. */
  report(): void {
    if (!this.#isAccepted) return;
    if (this.#isStarted && !this.#isStartReported) {
      this.#isStartReported = true;
      this.#events.onTurnStarted();
    }
    if (this.#end === undefined || this.#isEndReported) return;
    this.#isEndReported = true;
    this.#events.onTurnEnded(this.#end);
  }

  #endOf(end: TurnEnd, notification: SessionNotification): AgentTurnEnd {
    switch (end.by) {
      case "completed":
        return { reason: end.reason, details: detailsOf(notification) };
      case "idle":
        return { reason: this.#isInterrupted ? "cancelled" : "completed", details: {} };
      // The agent had queued our prompt behind something, and an interrupt threw it away: no other end will come.
      case "discarded":
        return { reason: end.reason, details: {} };
    }
  }
}

function detailsOf(notification: SessionNotification): Record<string, unknown> {
  return Object.fromEntries(Object.entries(notification).filter(([key]) => !OWN_KEYS.has(key)));
}
