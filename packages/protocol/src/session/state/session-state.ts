import { isKnownNotification } from "../notification-guards.js";
import type { SessionNotification } from "../notifications.js";
import type { Open, TokenUsage, WorkingState } from "../values.js";
import { OpenRequests, type RequestLists, type SessionRequest } from "./open-requests.js";
import { type PromptIds, type TrackedTurn, type TrackedTurnSnapshot, TurnRecord } from "./tracked-turn.js";
import type { TurnEnd, TurnRule } from "./turn.machine.js";

/** Options of {@link SessionState}. */
export interface SessionStateOptions {
  /** Whether the daemon offers the capability `turns`. Then only `agent_turn_completed` of a turn ends that turn. */
  readonly turns: boolean;
}

/** The parts of a session's state in results of `load_session`, `resume_session` and `follow_session`. Absent fields change nothing. */
export interface SessionFindings extends Partial<RequestLists> {
  readonly workingState?: Open<WorkingState>;
  readonly isAgentLoopInProgress?: boolean;
  /** What the session has used so far. */
  readonly tokenUsage?: TokenUsage | undefined;
}

/** A {@link SessionState} as plain data. */
export interface SessionStateSnapshot extends RequestLists {
  readonly rule: TurnRule;
  readonly workingState: Open<WorkingState>;
  readonly presumedState?: Open<WorkingState>;
  readonly isGone: boolean;
  readonly tokenUsage?: TokenUsage | undefined;
  readonly turns: readonly TrackedTurnSnapshot[];
}

const NO_TURNS: readonly TrackedTurn[] = [];

/** The records of every state that has tracked no turn; nothing is ever added to it. */
const NO_RECORDS: Map<string, TurnRecord> = new Map();

/**
 * The state of one session: its working state, its open turns, and the requests that wait for an answer.
 *
 * Pure: no clock, no transport. The state follows from the entries alone: `from(snapshot())` at any entry, and the entries
 * after it, give the same state as all entries. Events of one side that are no entries (a sent prompt, a given answer) have
 * methods of their own.
 *
 * A daemon and a client apply the same entries. `expect` announces a turn before its first entry. A turn that was not
 * announced, such as one of another client, shows in the working state only.
 */
export class SessionState {
  readonly #rule: TurnRule;
  /** In the order of `expect`. */
  #turns: Map<string, TurnRecord> = NO_RECORDS;
  readonly #requests = new OpenRequests();
  #workingState: Open<WorkingState> = "idle";
  #presumedState: Open<WorkingState> | undefined;
  #isGone = false;
  #tokenUsage: TokenUsage | undefined;

  constructor({ turns }: SessionStateOptions) {
    this.#rule = turns ? "told" : "inferred";
  }

  /** Restores the state of a {@link snapshot}. */
  static from(snapshot: SessionStateSnapshot): SessionState {
    const state = new SessionState({ turns: snapshot.rule === "told" });
    state.#workingState = snapshot.workingState;
    state.#presumedState = snapshot.presumedState;
    state.#isGone = snapshot.isGone;
    state.#tokenUsage = snapshot.tokenUsage;
    state.#requests.replace(snapshot);
    for (const turn of snapshot.turns) state.#track(new TurnRecord(snapshot.rule, turn));
    return state;
  }

  /** The working state at the last applied entry. */
  get workingState(): Open<WorkingState> {
    return this.#workingState;
  }

  /** The newest working state: that of an early copy or of an acknowledged prompt, until the next entry with a working state. */
  get latestWorkingState(): Open<WorkingState> {
    return this.#presumedState ?? this.#workingState;
  }

  /** Whether the session is at work, at the last applied entry. */
  get isBusy(): boolean {
    return this.#workingState !== "idle";
  }

  /** Whether the session was closed or its agent's process ended, without a later entry of activity. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Turns that have not ended, in the order they were expected. */
  get turns(): readonly TrackedTurn[] {
    return [...this.#turns.values()];
  }

  /** Number of pending requests. */
  get pendingRequests(): number {
    return this.#requests.size;
  }

  /** The open turn of that message. */
  turn(messageId: string): TrackedTurn | undefined {
    return this.#turns.get(messageId);
  }

  /** Whether that request is pending. */
  isPending(requestId: string): boolean {
    return this.#requests.has(requestId);
  }

  /** Number of turns that end before the one of that message begins. A running turn of another client counts as one. */
  aheadOf(messageId: string): number {
    const open = [...this.#turns.keys()];
    const own = open.indexOf(messageId);
    const count = own < 0 ? open.length : own;
    return count > 0 ? count : Number(this.isBusy);
  }

  /** Applies a notification of the session. Returns the turns that it ended. */
  apply(notification: SessionNotification): readonly TrackedTurn[] {
    switch (notification.type) {
      // First, because nearly all notifications have this type.
      case "assistant_text_delta":
        return NO_TURNS;
      case "droid_working_state_changed":
        this.#setWorkingState(String(notification.newState));
        return this.#observe(notification);
      case "create_message":
      case "queued_messages_discarded":
        return this.#turns.size === 0 ? NO_TURNS : this.#observe(notification);
      case "agent_turn_completed":
        return this.#complete(notification);
      case "permission_resolved":
      case "ask_user_resolved":
        this.#requests.delete(String(notification.requestId));
        return NO_TURNS;
      case "session_process_exited":
      case "session_closed":
        this.#isGone = true;
        return NO_TURNS;
      case "session_token_usage_changed":
        this.#noteUsage(notification);
        return NO_TURNS;
      default:
        return NO_TURNS;
    }
  }

  /** Adds a server request to the pending ones. False for a method that is no request to the user. */
  ask(request: SessionRequest): boolean {
    return this.#requests.add(request);
  }

  /** Removes a request that this side answered. False when it is not pending. */
  resolve(requestId: string): boolean {
    return this.#requests.delete(requestId);
  }

  /** Starts to track the turn of a prompt that is sent or accepted now. */
  expect({ messageId, requestId }: PromptIds): TrackedTurn {
    const ahead = this.aheadOf(messageId);
    const state = ahead > 0 ? "behind" : "waiting";
    const start = { ahead, wasBusy: false, isForetold: false, usageBefore: this.#tokenUsage };
    const turn = new TurnRecord(this.#rule, { messageId, requestId, state, ...start });
    return this.#track(turn);
  }

  /** Removes the turn of a prompt that was refused or starts no turn. False when no such turn is open. */
  forget(messageId: string): boolean {
    return this.#turns.delete(messageId);
  }

  /** Ends a turn for a reason that no entry holds. */
  end(messageId: string, end: TurnEnd): void {
    this.#turns.get(messageId)?.close(end);
    this.#turns.delete(messageId);
  }

  /** Removes and returns the open turns, for which no entries will follow, and sets the session to idle. */
  reset(): readonly TrackedTurn[] {
    const open = this.turns;
    this.#turns.clear();
    this.#workingState = "idle";
    this.#presumedState = undefined;
    return open;
  }

  /** Applies the early copy of an entry: a request is resolved now, a turn ends only when the entry itself is applied. */
  foretell(notification: SessionNotification): void {
    switch (notification.type) {
      case "droid_working_state_changed":
        this.presume(String(notification.newState));
        break;
      case "agent_turn_completed": {
        const turn = this.#turns.get(String(notification.turnId));
        turn?.foretell();
        if (turn?.isBehind !== true || this.#around(turn)[0].length === 0) this.presume("idle");
        break;
      }
      case "permission_resolved":
      case "ask_user_resolved":
      case "session_process_exited":
      case "session_closed":
        this.apply(notification);
    }
  }

  /** Sets the working state ahead of its entry. The next entry with a working state replaces it. */
  presume(state: Open<WorkingState>): void {
    this.#presumedState = state;
    this.#isGone = false;
  }

  /** Applies the state from a daemon's answer. */
  found(findings: SessionFindings): void {
    const { workingState, isAgentLoopInProgress, tokenUsage } = findings;
    this.#requests.replace(findings);
    this.#tokenUsage = tokenUsage ?? this.#tokenUsage;
    if (workingState === undefined && isAgentLoopInProgress === undefined) return;
    const state = workingState ?? "idle";
    // The agent's loop starts before it reports a first working state.
    this.#setWorkingState(state === "idle" && isAgentLoopInProgress === true ? "thinking" : state);
  }

  /**
   * Applies the state from a daemon's answer after entries were skipped. Removes and returns the turns that ended in the
   * skipped entries.
   */
  skipTo(findings: SessionFindings): readonly TrackedTurn[] {
    const ended = this.turns.filter(({ isForetold }) => isForetold);
    for (const { messageId } of ended) this.#turns.delete(messageId);
    this.found(findings);
    for (const [messageId, turn] of this.#turns) turn.rebase(this.aheadOf(messageId));
    return ended;
  }

  /** The state as plain data, for {@link SessionState.from}. */
  snapshot(): SessionStateSnapshot {
    return {
      rule: this.#rule,
      workingState: this.#workingState,
      ...(this.#presumedState === undefined ? {} : { presumedState: this.#presumedState }),
      isGone: this.#isGone,
      tokenUsage: this.#tokenUsage,
      turns: [...this.#turns.values()].map((turn) => turn.snapshot()),
      ...this.#requests.lists(),
    };
  }

  #track(turn: TurnRecord): TurnRecord {
    if (this.#turns === NO_RECORDS) this.#turns = new Map();
    this.#turns.set(turn.messageId, turn);
    return turn;
  }

  /** Agents report the running total. What comes before a turn begins was used by another. */
  #noteUsage(notification: SessionNotification): void {
    if (!isKnownNotification(notification) || notification.type !== "session_token_usage_changed") return;
    this.#tokenUsage = notification.tokenUsage;
    for (const turn of this.#turns.values()) turn.noteEarlierUsage(notification.tokenUsage);
  }

  #setWorkingState(state: Open<WorkingState>): void {
    this.#workingState = state;
    this.#presumedState = undefined;
    this.#isGone = false;
  }

  #observe(notification: SessionNotification): readonly TrackedTurn[] {
    let ended: TrackedTurn[] | undefined;
    for (const [messageId, turn] of this.#turns) {
      if (!turn.observe(notification)) continue;
      this.#turns.delete(messageId);
      ended = [...(ended ?? []), turn];
    }
    return ended ?? NO_TURNS;
  }

  #complete(notification: SessionNotification): readonly TrackedTurn[] {
    const named = this.#turns.get(String(notification.turnId));
    const [earlier, later] = this.#around(named);
    const wasBehind = named?.isBehind === true;
    const wasUntouched = named?.isUntouched === true;
    const ended = this.#observe(notification);
    for (const turn of later) turn.oneLessAhead();
    // The session counts as idle from the turn's end, although the change to idle may follow late: a prompt in between is not
    // queued. The end of a prompt that was discarded in the queue does not affect the running turn.
    const isFree = earlier.length === 0 ? !wasUntouched : earlier.every(({ end }) => end !== undefined);
    if (!wasBehind || isFree) this.#setWorkingState("idle");
    return ended;
  }

  /** The turns before and after that one. For a turn of another client, all tracked turns are after it. */
  #around(named: TurnRecord | undefined): readonly [earlier: readonly TurnRecord[], later: readonly TurnRecord[]] {
    const all = [...this.#turns.values()];
    if (named === undefined) return [[], all];
    const own = all.indexOf(named);
    return [all.slice(0, own), all.slice(own + 1)];
  }
}
