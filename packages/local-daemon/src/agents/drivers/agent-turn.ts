import {
  type AddUserMessageParams,
  newId,
  type SessionNotification,
  SessionState,
  type TrackedTurn,
  type TurnEnd,
} from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../limits/index.js";
import type { AgentTurnEnd } from "../agent.js";
import { TurnContent } from "./turn-content.js";

/** Callbacks of an {@link AgentTurn}; each is called at most once. */
export interface AgentTurnEvents {
  onTurnStarted(): void;
  onTurnEnded(end: AgentTurnEnd): void;
}

const NOT_ENDED =
  "The agent became idle in the middle of its answer, and did not end the turn. An agent ends a turn with agent_turn_completed, " +
  "or becomes idle after its last message is complete.";

/** Keys of `agent_turn_completed` that are not details: the daemon writes its own. */
const OWN_KEYS = new Set(["type", "reason", "turnId", "sessionId"]);

/**
 * One prompt on its way through an agent: from the request to its one end.
 *
 * No callback is called before the agent acknowledged the prompt; what the agent said earlier is reported then. A prompt that
 * was refused has no turn, and an agent may write its acknowledgement late.
 *
 * An agent need not send `agent_turn_completed`: where its answer is complete, its change to idle ends the turn. An agent that
 * falls idle in the middle gets `AGENT_LIMITS.idleGraceMs` to continue or to end the turn; after that the turn has failed.
 */
export class AgentTurn {
  /** JSON-RPC id of `add_user_message`; the agent repeats it in `create_message` and in `queued_messages_discarded`. */
  readonly requestId: string = newId();

  readonly #events: AgentTurnEvents;
  /** Foreign agents make no promise about turns, ours keeps the one that counts: `turnId` is the message's id. */
  readonly #state = new SessionState({ turns: false });
  readonly #turn: TrackedTurn;
  readonly #skipsAgentLoop: boolean;
  readonly #onIdleEnd: () => void;
  #isAccepted = false;
  #isStarted = false;
  #isStartReported = false;
  #isInterrupted = false;
  #end: AgentTurnEnd | undefined;
  /** Runs while the agent is idle, and has not ended the turn. */
  #idleTimer: NodeJS.Timeout | undefined;
  #isEndReported = false;

  /** @param onIdleEnd called after an end that no notification brought: the agent stayed idle */
  constructor(params: AddUserMessageParams, events: AgentTurnEvents, onIdleEnd: () => void = () => {}) {
    this.#events = events;
    this.#onIdleEnd = onIdleEnd;
    this.#skipsAgentLoop = params.skipAgentLoop === true;
    const { requestId } = this;
    this.#turn = this.#state.expect({ messageId: params.messageId ?? requestId, requestId });
  }

  /** What the agent said in it. */
  readonly content = new TurnContent();
  /** True when the agent's word ended it, and not a guess. */
  isEndStated = false;

  /** True while the agent gave no sign that it works on the prompt. */
  get isUntouched(): boolean {
    return !this.#isStarted;
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
    this.content.observe(notification);
    if (this.#holdsIdle(notification)) return true;
    this.#state.apply(notification);
    const { state, end, isUntouched } = this.#turn;
    this.#isStarted ||= !isUntouched;
    if (end !== undefined) {
      this.isEndStated = end.by === "completed";
      this.#end = this.#endOf(end, notification);
      clearTimeout(this.#idleTimer);
    }
    if (end === undefined && this.#skipsAgentLoop && state === "started")
      this.#end = { reason: "completed", details: {} };
    return end !== undefined && end.by !== "discarded";
  }

  /** Ends the turn for a reason that no notification stated: the agent died, or took back its acknowledgement. */
  fail(reason: string, details: Readonly<Record<string, unknown>>): void {
    clearTimeout(this.#idleTimer);
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

  /** Whether the agent is idle in the middle of the turn; from then on each notification starts the wait anew. */
  #holdsIdle(notification: SessionNotification): boolean {
    const isState = notification.type === "droid_working_state_changed";
    const isIdle = isState && notification.newState === "idle";
    const isAtWork = this.#turn.state === "running" || this.#turn.state === "unconfirmed";
    const isEarly = isIdle && isAtWork && !this.#isInterrupted && !this.content.isFinished;
    if (isEarly || (this.#idleTimer !== undefined && !isState)) this.#awaitEnd();
    else if (isState) this.#stopAwaiting();
    return isEarly;
  }

  #awaitEnd(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.content.isFinished) this.fail("completed", {});
      else this.fail("error", { code: "PROTOCOL_VIOLATION", message: NOT_ENDED });
      this.#onIdleEnd();
    }, AGENT_LIMITS.idleGraceMs);
  }

  #stopAwaiting(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
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
