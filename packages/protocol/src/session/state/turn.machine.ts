import type { SessionNotification } from "../notifications.js";

/**
 * Life of one turn, by the notifications of its session. Pure: no clock, no transport.
 *
 * `ownCompleted` leads from every state to `ended`, which is final. The other edges depend on how an end is recognised, see the two tables.
 */
export type TurnState =
  /** The prompt is queued behind an earlier turn. The end of that turn is not the end of this one. */
  | "behind"
  /** No event of the turn was observed. */
  | "waiting"
  /** The agent works, but `create_message` of our message was not observed. Old daemons never send it. */
  | "unconfirmed"
  /** `create_message` of our message was observed, and the agent does not work yet. */
  | "started"
  /** The agent works on our message. */
  | "running"
  | "ended";

/** What a notification means to one turn. `ownCompleted`: `agent_turn_completed` of this turn; `otherCompleted`: of another turn. */
export type TurnEvent = "busy" | "idle" | "ownMessage" | "ownCompleted" | "otherCompleted";

type TurnTable = Readonly<Record<TurnState, Readonly<Partial<Record<TurnEvent, TurnState>>>>>;

/**
 * The daemon offers `turns`: only `agent_turn_completed` of this turn ends it (docs/protocol.md, "Turns").
 *
 *   waiting ─busy→ unconfirmed ─ownMessage→ running
 *   waiting ─ownMessage→ started ─busy→ running ─idle→ started
 *   behind ─ownMessage→ running        unconfirmed ─idle→ waiting
 *   behind, waiting, unconfirmed, started, running ─ownCompleted→ ended
 */
const TOLD: TurnTable = {
  behind: { ownMessage: "running", ownCompleted: "ended" },
  waiting: { ownMessage: "started", busy: "unconfirmed", ownCompleted: "ended" },
  unconfirmed: { ownMessage: "running", idle: "waiting", ownCompleted: "ended" },
  started: { busy: "running", ownCompleted: "ended" },
  running: { idle: "started", ownCompleted: "ended" },
  ended: {},
};

/**
 * Any other daemon or agent: the turn ends with a completed turn or a change from busy to idle, whichever is first after
 * `create_message` of our message; without that, after the first busy. A steered prompt ends with the turn that it joined,
 * hence `otherCompleted`.
 *
 *   behind ─idle, otherCompleted→ waiting ─busy→ unconfirmed ─ownMessage→ running
 *   behind ─ownMessage→ running        waiting ─ownMessage→ started ─busy→ running
 *   unconfirmed, running ─idle, otherCompleted→ ended        started ─otherCompleted→ ended
 *   behind, waiting, unconfirmed, started, running ─ownCompleted→ ended
 */
const INFERRED: TurnTable = {
  behind: { ownMessage: "running", idle: "waiting", otherCompleted: "waiting", ownCompleted: "ended" },
  waiting: { ownMessage: "started", busy: "unconfirmed", ownCompleted: "ended" },
  unconfirmed: { ownMessage: "running", idle: "ended", otherCompleted: "ended", ownCompleted: "ended" },
  started: { busy: "running", otherCompleted: "ended", ownCompleted: "ended" },
  running: { idle: "ended", otherCompleted: "ended", ownCompleted: "ended" },
  ended: {},
};

/** How an end is recognised: `told` where the daemon offers `turns`, else `inferred`. */
export const TURN_TABLES = { told: TOLD, inferred: INFERRED } as const;

/** One of {@link TURN_TABLES}. */
export type TurnRule = keyof typeof TURN_TABLES;

/** The state after `event`; the same one when the event means nothing in it. */
export function nextTurnState(rule: TurnRule, state: TurnState, event: TurnEvent): TurnState {
  return TURN_TABLES[rule][state][event] ?? state;
}

/** Options of {@link TurnTracker}. */
export interface TurnTrackerOptions {
  /** Id of the user message that starts the turn. */
  readonly messageId: string;
  /** Id of the `add_user_message` request, which a real daemon repeats in `create_message`. */
  readonly requestId?: string;
  /** Whether the daemon offers the capability `turns`. */
  readonly turns: boolean;
  /** Whether an earlier turn still runs when the prompt is sent; default false. */
  readonly isQueued?: boolean;
  /** State of a turn that was tracked before; `isQueued` is ignored then. */
  readonly state?: TurnState;
}

/**
 * How a turn ended: `completed` by `agent_turn_completed` with its reason, `idle` by a change to idle, which has none,
 * `discarded` when its prompt was discarded before the turn began.
 */
export type TurnEnd =
  | { readonly by: "completed"; readonly reason: string }
  | { readonly by: "discarded"; readonly reason: "cancelled" }
  | { readonly by: "idle" };

/** Determines when one turn has ended. Pass every notification of the session to `observe`, from before the prompt is sent. */
export class TurnTracker {
  readonly #options: TurnTrackerOptions;
  #state: TurnState;

  constructor(options: TurnTrackerOptions) {
    this.#options = options;
    this.#state = options.state ?? (options.isQueued === true ? "behind" : "waiting");
  }

  /** State of the turn, for logs and tests. */
  get state(): TurnState {
    return this.#state;
  }

  /** The end, if this notification ends the turn; else undefined. */
  observe(notification: SessionNotification): TurnEnd | undefined {
    const event = this.#eventOf(notification);
    if (event === undefined || this.#state === "ended") return undefined;
    this.#step(event);
    if (this.state !== "ended") return undefined;
    if (event === "idle") return { by: "idle" };
    return { by: "completed", reason: typeof notification.reason === "string" ? notification.reason : "completed" };
  }

  #step(event: TurnEvent): void {
    this.#state = nextTurnState(this.#options.turns ? "told" : "inferred", this.#state, event);
  }

  #eventOf(notification: SessionNotification): TurnEvent | undefined {
    switch (notification.type) {
      case "droid_working_state_changed":
        return notification.newState === "idle" ? "idle" : "busy";
      case "create_message":
        return this.#isOwnMessage(notification) ? "ownMessage" : undefined;
      case "agent_turn_completed":
        return notification.turnId === this.#options.messageId ? "ownCompleted" : "otherCompleted";
      default:
        return undefined;
    }
  }

  #isOwnMessage({ message, requestId }: SessionNotification): boolean {
    if (this.#options.requestId !== undefined && requestId === this.#options.requestId) return true;
    return typeof message === "object" && message !== null && "id" in message && message.id === this.#options.messageId;
  }
}
