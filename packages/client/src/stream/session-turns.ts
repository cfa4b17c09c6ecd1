import {
  type AddUserMessageParams,
  type AddUserMessageResult,
  CLIENT_LIMITS,
  METHODS,
  type PromptIds,
  type Receipt,
  type SessionFindings,
  type SessionNotification,
  type TrackedTurn,
  type TurnEnd,
  withoutUndefined,
} from "@daemon-sdk/protocol";
import type { StatusEvents } from "../connection/index.js";
import {
  AbandonedTurns,
  type DaemonClient,
  type ObservedFeed,
  REASON_OF_STATE,
  type SessionActivityWatch,
  TurnReceipts,
} from "../session/index.js";

/** Options of {@link SessionTurns}. */
export interface SessionTurnsOptions {
  readonly client: DaemonClient;
  /** Has the session's state, in which the turns are tracked. */
  readonly feed: Pick<ObservedFeed, "state">;
  readonly status: StatusEvents;
  readonly activity: SessionActivityWatch;
  /** Whether the daemon offers `turns`. */
  readonly areOffered: boolean;
  /** Whether the running stream is that of this message. */
  isStreamed(messageId: string): boolean;
}

/** The turns of one session: sends prompts, tracks each turn until its end, interrupts turns, and reads receipts. */
export class SessionTurns {
  /** Whether the daemon offers `turns`: it notifies the end of each turn, and keeps queued prompts at an interrupt. */
  readonly areOffered: boolean;
  readonly #options: SessionTurnsOptions;
  readonly #abandoned = new AbandonedTurns();
  readonly #receipts: TurnReceipts;

  constructor(options: SessionTurnsOptions) {
    this.#options = options;
    this.areOffered = options.areOffered;
    this.#receipts = new TurnReceipts((messageId, signal) => this.getReceipt(messageId, signal));
  }

  /** The tracked turn of that message. */
  find(messageId: string): TrackedTurn | undefined {
    return this.#options.feed.state.turn(messageId);
  }

  /** Undefined when a prompt can be sent now; else resolves when it can. */
  untilFree(): Promise<void> | undefined {
    // A plain daemon discards queued prompts when it is interrupted (docs/wire/agent-stdio.md#oddities), so an abandoned turn has
    // to end first.
    if (this.areOffered || this.#abandoned.isEmpty) return undefined;
    return this.#abandoned.whenEmpty(CLIENT_LIMITS.requestTimeoutMs);
  }

  /** Tracks the prompt's turn from now on, and sends the prompt; resolves at the acknowledgement. */
  async sendPrompt(
    params: Omit<AddUserMessageParams, "sessionId">,
    { messageId, requestId }: PromptIds,
    signal?: AbortSignal,
  ): Promise<AddUserMessageResult> {
    const { client, feed } = this.#options;
    // A message that is sent again does not start a second turn.
    const isNew = this.find(messageId) === undefined;
    if (isNew) feed.state.expect({ messageId, requestId });
    try {
      const call = withoutUndefined({ id: requestId, signal });
      const result = await client.addUserMessage({ ...params, messageId }, call);
      this.#accepted(messageId, result);
      return result;
    } catch (error) {
      if (isNew) this.#forget([{ messageId }]);
      throw error;
    }
  }

  #accepted(messageId: string, { receipt }: AddUserMessageResult): void {
    const { feed, activity, isStreamed } = this.#options;
    if (REASON_OF_STATE.has(receipt?.state ?? "")) {
      // The turn has ended. A stream of this turn still needs its record, and reads from the daemon how the turn ended.
      if (!isStreamed(messageId)) this.#forget([{ messageId }]);
      return;
    }
    if (this.find(messageId)?.isForetold !== false || feed.state.latestWorkingState !== "idle") return;
    feed.state.presume("thinking");
    activity.stated();
  }

  /** The receipt of a message as it is now. */
  async getReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    const { receipts } = await this.#options.client.call(
      METHODS.getReceipts,
      { messageIds: [messageId] },
      withoutUndefined({ signal }),
    );
    return receipts[0] ?? { messageId, state: "unknown" };
  }

  /** Resolves with the final receipt when the message's turn has ended. */
  async waitForReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    // For a turn that ended without a link there is not always a notification.
    const stop = this.#options.status.listen(() => this.#receipts.wake());
    return this.#receipts.waitFor(messageId, signal).finally(stop);
  }

  /** Requests the awaited receipts again: the turn of that message may have ended; without an id, any turn may have. */
  recheckReceipts(messageId?: unknown): void {
    this.#receipts.wake(messageId);
  }

  /** Interrupts that message's turn. The outcome is not reported. */
  interruptQuietly(messageId: string): void {
    // Without a time limit: nothing else ends the turn, so the call waits for a link as long as the connection reconnects.
    this.#options.client.interruptTurn(messageId, { timeoutMs: 0 }).catch(() => {
      // The stream has no consumer any more that an error could be thrown to.
    });
  }

  /** The stream of that turn was abandoned. */
  abandon(messageId: string): void {
    if (this.find(messageId) !== undefined) this.#abandoned.add(messageId);
  }

  /** Applies a notification that was not received, but stands for one in a gap. Returns the turns that it ended. */
  apply(notification: SessionNotification): readonly TrackedTurn[] {
    const ended = this.#options.feed.state.apply(notification);
    this.#abandoned.settle(ended);
    return ended;
  }

  /** Ends that turn for a reason that no notification states. */
  end(messageId: string, end: TurnEnd): void {
    this.#options.feed.state.end(messageId, end);
    this.#abandoned.settle([{ messageId }]);
  }

  /** These turns have ended by a notification that the session's state has applied. */
  ended(turns: readonly TrackedTurn[]): void {
    this.#abandoned.settle(turns);
  }

  /** The agent has exited. A daemon that offers `turns` notifies the end of each turn; another one sends nothing more of them. */
  agentGone(): void {
    if (!this.areOffered) this.#abandoned.settle(this.#options.feed.state.reset());
  }

  /** Takes over the working state that a result of a call holds. */
  found(findings: SessionFindings): void {
    const states = statesOf(findings);
    if (states === undefined) return;
    this.#options.feed.state.found(states);
    this.#options.activity.stated();
  }

  /** Takes over the working state at the position from which events are received next. */
  skipTo(findings: SessionFindings): void {
    this.#abandoned.settle(this.#options.feed.state.skipTo(statesOf(findings) ?? {}));
    this.#options.activity.stated();
  }

  /** The session is idle after a gap: no notification follows for turns that ended in it. The streamed turn is kept. */
  forgetMissed(): void {
    const { feed, isStreamed } = this.#options;
    this.#forget(feed.state.turns.filter(({ messageId }) => !isStreamed(messageId)));
  }

  #forget(turns: readonly Pick<TrackedTurn, "messageId">[]): void {
    for (const { messageId } of turns) this.#options.feed.state.forget(messageId);
    this.#abandoned.settle(turns);
  }
}

/** The working state in a result, without the requests, which the inbox takes over; undefined when the result has no state. */
function statesOf({ isAgentLoopInProgress, workingState, tokenUsage }: SessionFindings): SessionFindings | undefined {
  if (isAgentLoopInProgress === undefined && workingState === undefined) return undefined;
  return withoutUndefined({ isAgentLoopInProgress, workingState, tokenUsage });
}
