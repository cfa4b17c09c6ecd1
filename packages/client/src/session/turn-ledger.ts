import { type SessionNotification, TurnTracker } from "@daemon-sdk/protocol";

/** A prompt that was sent, by what its turn is known by on the wire. */
export interface SentPrompt {
  readonly messageId: string;
  readonly requestId: string;
}

/**
 * The turns of one session that are under way, as far as this handle can know.
 *
 * It is what keeps the turns apart: a stream whose prompt waits behind another turn must not yield that one's events, and a
 * turn whose stream was left goes on until the daemon has interrupted it.
 */
export class TurnLedger {
  readonly #offersTurns: boolean;
  readonly #open = new Map<string, { readonly tracker: TurnTracker; readonly requestId: string; isOver: boolean }>();
  readonly #left = new Set<string>();
  #isBusy = false;
  #waiters: (() => void)[] = [];

  /** @param offersTurns whether the daemon offers the capability `turns` */
  constructor(offersTurns: boolean) {
    this.#offersTurns = offersTurns;
  }

  /** Turns that run or wait before the one of that prompt, sent or not; one whose prompt is somebody else's counts once. */
  aheadOf(messageId: string): number {
    const open = [...this.#open.keys()];
    const own = open.indexOf(messageId);
    const count = own < 0 ? open.length : own;
    return count > 0 ? count : Number(this.#isBusy);
  }

  /** Whether that turn is under way. */
  has(messageId: string): boolean {
    return this.#open.get(messageId)?.isOver === false;
  }

  /** A prompt goes out now. */
  begin({ messageId, requestId }: SentPrompt): void {
    const isQueued = this.aheadOf(messageId) > 0;
    const tracker = new TurnTracker({ messageId, requestId, turns: this.#offersTurns, isQueued });
    this.#open.set(messageId, { tracker, requestId, isOver: false });
  }

  /** That prompt was refused, or starts no turn. */
  forget(messageId: string): void {
    this.#open.delete(messageId);
    this.#settleLeft(messageId);
  }

  /** The consumer of that turn went away; it was interrupted, or nobody will ask. */
  leave(messageId: string): void {
    if (this.#open.has(messageId)) this.#left.add(messageId);
  }

  /** Whether the session was found at work, as `load_session` and `follow_session` tell it. */
  found(isBusy: boolean): void {
    this.#isBusy = isBusy;
  }

  /** Whether the session is at work, as it was told last. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Takes in the early copy of a notification: the turn has ended, its last events are still to come. */
  foretell({ type, turnId }: SessionNotification): void {
    const turn = this.#open.get(String(turnId));
    if (type === "agent_turn_completed" && turn !== undefined) turn.isOver = true;
  }

  /** What comes now lies after everything that was foretold. */
  skip(): void {
    for (const [messageId, { isOver }] of this.#open) if (isOver) this.forget(messageId);
  }

  /** Takes in every notification of the session. */
  observe(notification: SessionNotification): void {
    if (notification.type === "droid_working_state_changed") this.#isBusy = notification.newState !== "idle";
    // The idle that follows may come late; a prompt sent in between has no turn before it.
    if (notification.type === "agent_turn_completed") this.#isBusy = false;
    for (const [messageId, { tracker, requestId }] of this.#open) {
      const isOver = tracker.observe(notification) !== undefined || isDiscarded(notification, requestId);
      if (isOver) this.forget(messageId);
    }
  }

  /** Nothing more will be heard: the agent's process is gone. */
  reset(): void {
    this.#isBusy = false;
    for (const messageId of [...this.#open.keys()]) this.forget(messageId);
  }

  /** Whether a turn whose stream was left is still under way. */
  get hasLeftTurns(): boolean {
    return this.#left.size > 0;
  }

  /** Resolves when no such turn is under way any more, or after `maxMs`: an agent may ignore an interrupt. */
  whenLeftEnded(maxMs: number): Promise<void> {
    if (!this.hasLeftTurns) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, maxMs);
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #settleLeft(messageId: string): void {
    if (!this.#left.delete(messageId) || this.#left.size > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/**
 * Whether that prompt was discarded before its turn began: an interrupted plain daemon does that
 * (docs/wire/agent-stdio.md#oddities).
 */
export function isDiscarded(notification: SessionNotification, requestId: string | undefined): boolean {
  if (notification.type !== "queued_messages_discarded" || requestId === undefined) return false;
  return notification.requestId === requestId;
}
