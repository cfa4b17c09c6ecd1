import type { SessionNotification } from "../notifications.js";
import type { TokenUsage } from "../values.js";
import { type TurnEnd, type TurnRule, type TurnState, TurnTracker } from "./turn.machine.js";

/** A prompt, by the ids that its turn has on the wire. */
export interface PromptIds {
  /** Id of the user message that starts the turn. */
  readonly messageId: string;
  /** Id of the `add_user_message` request, which a real daemon repeats in `create_message`. */
  readonly requestId?: string | undefined;
}

/** One turn that a `SessionState` tracks. The object stays valid after the turn's end; `end` is set then. */
export interface TrackedTurn extends PromptIds {
  /** State of the turn. */
  readonly state: TurnState;
  /** Whether the prompt is queued behind an earlier turn, to which the events still belong. */
  readonly isBehind: boolean;
  /** True until an entry of this turn was applied. */
  readonly isUntouched: boolean;
  /** Whether the session was at work in this turn. */
  readonly wasBusy: boolean;
  /** Whether an early copy announced the turn's end, whose entry is not applied yet. */
  readonly isForetold: boolean;
  /** What the session had used before this turn; undefined when that is not known, or nothing. */
  readonly usageBefore: TokenUsage | undefined;
  /** How the turn ended; undefined while it is open. */
  readonly end: TurnEnd | undefined;
}

/** A {@link TrackedTurn} that is open, as plain data. */
export interface TrackedTurnSnapshot extends PromptIds {
  readonly state: TurnState;
  /** Turns that end before this one begins. */
  readonly ahead: number;
  readonly wasBusy: boolean;
  readonly isForetold: boolean;
  readonly usageBefore?: TokenUsage | undefined;
}

/** The writable side of {@link TrackedTurn}; only `SessionState` holds it. */
export class TurnRecord implements TrackedTurn {
  readonly messageId: string;
  readonly requestId: string | undefined;
  readonly #rule: TurnRule;
  #tracker: TurnTracker;
  #ahead: number;
  #wasBusy: boolean;
  #isForetold: boolean;
  #usageBefore: TokenUsage | undefined;
  #end: TurnEnd | undefined;

  constructor(rule: TurnRule, snapshot: TrackedTurnSnapshot) {
    this.messageId = snapshot.messageId;
    this.requestId = snapshot.requestId;
    this.#rule = rule;
    this.#tracker = this.#trackerAt(snapshot.state);
    this.#ahead = snapshot.ahead;
    this.#wasBusy = snapshot.wasBusy;
    this.#isForetold = snapshot.isForetold;
    this.#usageBefore = snapshot.usageBefore;
  }

  get state(): TurnState {
    return this.#tracker.state;
  }

  get isBehind(): boolean {
    return this.#ahead > 0 && this.state === "behind";
  }

  get isUntouched(): boolean {
    return this.state === "behind" || this.state === "waiting";
  }

  get wasBusy(): boolean {
    return this.#wasBusy;
  }

  get isForetold(): boolean {
    return this.#isForetold;
  }

  get usageBefore(): TokenUsage | undefined {
    return this.#usageBefore;
  }

  get end(): TurnEnd | undefined {
    return this.#end;
  }

  /** Applies one entry. True once: the entry ended the turn. */
  observe(notification: SessionNotification): boolean {
    this.#end = this.#tracker.observe(notification) ?? this.#discardedBy(notification);
    const isBusy = notification.type === "droid_working_state_changed" && notification.newState !== "idle";
    if (isBusy && !this.isBehind) this.#wasBusy = true;
    return this.#end !== undefined;
  }

  /** The session's running total, as it was before this turn if that has not begun. */
  noteEarlierUsage(total: TokenUsage): void {
    if (this.isUntouched) this.#usageBefore = total;
  }

  /** An earlier turn ended. This turn begins after the last of them, because not every agent repeats the prompt. */
  oneLessAhead(): void {
    if (this.isBehind) this.#ahead -= 1;
  }

  /** Marks the end as announced by an early copy. */
  foretell(): void {
    this.#isForetold = true;
  }

  /** Sets the number of earlier turns after entries were skipped, if this turn has not begun. */
  rebase(ahead: number): void {
    if (!this.isUntouched) return;
    this.#ahead = ahead;
    this.#tracker = this.#trackerAt(ahead > 0 ? "behind" : "waiting");
  }

  /** Ends the turn for a reason that no entry holds. */
  close(end: TurnEnd): void {
    this.#end = end;
  }

  snapshot(): TrackedTurnSnapshot {
    const { messageId, requestId, state, wasBusy, isForetold, usageBefore } = this;
    return {
      messageId,
      ...(requestId === undefined ? {} : { requestId }),
      state,
      ahead: this.#ahead,
      wasBusy,
      isForetold,
      usageBefore,
    };
  }

  /**
   * A plain daemon discards queued prompts on an interrupt, and names them by their request (docs/wire/agent-stdio.md#oddities).
   * A daemon that offers `turns` also completes them, and only that is their end.
   */
  #discardedBy({ type, requestId }: SessionNotification): TurnEnd | undefined {
    if (type !== "queued_messages_discarded" || this.#rule === "told" || requestId === undefined) return undefined;
    return requestId === this.requestId ? { by: "discarded", reason: "cancelled" } : undefined;
  }

  #trackerAt(state: TurnState): TurnTracker {
    const { messageId, requestId } = this;
    const turns = this.#rule === "told";
    return new TurnTracker({ messageId, turns, state, ...(requestId === undefined ? {} : { requestId }) });
  }
}
