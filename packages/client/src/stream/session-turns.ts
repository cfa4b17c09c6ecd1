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

/** The session of {@link SessionTurns}. */
export interface SessionTurnsHost {
  readonly client: DaemonClient;
  /** Has the session's state, in which the turns are tracked. */
  readonly feed: Pick<ObservedFeed, "state">;
  readonly status: StatusEvents;
  readonly activity: SessionActivityWatch;
  /** Whether the daemon offers `turns`. */
  readonly offersTurns: boolean;
  /** Whether the running stream is that of this message. */
  isStreamed(messageId: string): boolean;
}

/** The turns of one session: sends prompts, tracks each turn until its end, interrupts turns, and reads receipts. */
export class SessionTurns {
  /** Whether the daemon offers `turns`: it notifies the end of each turn, and keeps queued prompts at an interrupt. */
  readonly areOffered: boolean;
  readonly #host: SessionTurnsHost;
  /** Made when the first stream is abandoned. */
  #abandoned: AbandonedTurns | undefined;
  /** Made when the first receipt is waited for. */
  #receipts: TurnReceipts | undefined;

  constructor(host: SessionTurnsHost) {
    this.#host = host;
    this.areOffered = host.offersTurns;
  }

  /** The tracked turn of that message. */
  find(messageId: string): TrackedTurn | undefined {
    return this.#host.feed.state.turn(messageId);
  }

  /** Undefined when a prompt can be sent now; else resolves when it can. */
  untilFree(): Promise<void> | undefined {
    // A plain daemon discards queued prompts when it is interrupted (docs/wire/agent-stdio.md#oddities), so an abandoned turn has
    // to end first.
    if (this.areOffered || this.#abandoned === undefined || this.#abandoned.isEmpty) return undefined;
    return this.#abandoned.whenEmpty(CLIENT_LIMITS.requestTimeoutMs);
  }

  /** Tracks the prompt's turn from now on, and sends the prompt; resolves at the acknowledgement. */
  async sendPrompt(
    params: Omit<AddUserMessageParams, "sessionId">,
    { messageId, requestId }: PromptIds,
    signal?: AbortSignal,
  ): Promise<AddUserMessageResult> {
    const { client, feed } = this.#host;
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
    const { feed, activity } = this.#host;
    if (REASON_OF_STATE.has(receipt?.state ?? "")) {
      // The turn has ended. A stream of this turn still needs its record, and reads from the daemon how the turn ended.
      if (!this.#host.isStreamed(messageId)) this.#forget([{ messageId }]);
      return;
    }
    if (this.find(messageId)?.isForetold !== false || feed.state.latestWorkingState !== "idle") return;
    feed.state.presume("thinking");
    activity.stated();
  }

  /** The receipt of a message as it is now. */
  async getReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    const { receipts } = await this.#host.client.call(
      METHODS.getReceipts,
      { messageIds: [messageId] },
      withoutUndefined({ signal }),
    );
    return receipts[0] ?? { messageId, state: "unknown" };
  }

  /** Resolves with the final receipt when the message's turn has ended. */
  async waitForReceipt(messageId: string, signal?: AbortSignal): Promise<Receipt> {
    // For a turn that ended without a link there is not always a notification.
    this.#receipts ??= new TurnReceipts((id, until) => this.getReceipt(id, until));
    const stop = this.#host.status.listen(() => this.recheckReceipts());
    return this.#receipts.waitFor(messageId, signal).finally(stop);
  }

  /** Requests the awaited receipts again: the turn of that message may have ended; without an id, any turn may have. */
  recheckReceipts(messageId?: unknown): void {
    this.#receipts?.wake(messageId);
  }

  /** Interrupts that message's turn. The outcome is not reported. */
  interruptQuietly(messageId: string): void {
    // Without a time limit: nothing else ends the turn, so the call waits for a link as long as the connection reconnects.
    this.#host.client.interruptTurn(messageId, { timeoutMs: 0 }).catch(() => {
      // The stream has no consumer any more that an error could be thrown to.
    });
  }

  /** The stream of that turn was abandoned. */
  abandon(messageId: string): void {
    if (this.find(messageId) === undefined) return;
    this.#abandoned ??= new AbandonedTurns();
    this.#abandoned.add(messageId);
  }

  /** Applies a notification that was not received, but stands for one in a gap. Returns the turns that it ended. */
  apply(notification: SessionNotification): readonly TrackedTurn[] {
    const ended = this.#host.feed.state.apply(notification);
    this.#settle(ended);
    return ended;
  }

  /** Ends that turn for a reason that no notification states. */
  end(messageId: string, end: TurnEnd): void {
    this.#host.feed.state.end(messageId, end);
    this.#settle([{ messageId }]);
  }

  /** These turns have ended by a notification that the session's state has applied. */
  ended(turns: readonly TrackedTurn[]): void {
    this.#settle(turns);
  }

  /** The agent has exited. A daemon that offers `turns` notifies the end of each turn; another one sends nothing more of them. */
  agentGone(): void {
    if (!this.areOffered) this.#settle(this.#host.feed.state.reset());
  }

  /** Takes over the working state that a result of a call holds. */
  found(findings: SessionFindings): void {
    const states = statesOf(findings);
    if (states === undefined) return;
    this.#host.feed.state.found(states);
    this.#host.activity.stated();
  }

  /** Takes over the working state at the position from which events are received next. */
  skipTo(findings: SessionFindings): void {
    this.#settle(this.#host.feed.state.skipTo(statesOf(findings) ?? {}));
    this.#host.activity.stated();
  }

  /** The session is idle after a gap: no notification follows for turns that ended in it. The streamed turn is kept. */
  forgetMissed(): void {
    const { feed } = this.#host;
    this.#forget(feed.state.turns.filter(({ messageId }) => !this.#host.isStreamed(messageId)));
  }

  #settle(turns: readonly Pick<TrackedTurn, "messageId">[]): void {
    this.#abandoned?.settle(turns);
  }

  #forget(turns: readonly Pick<TrackedTurn, "messageId">[]): void {
    for (const { messageId } of turns) this.#host.feed.state.forget(messageId);
    this.#settle(turns);
  }
}

/** The working state in a result, without the requests, which the inbox takes over; undefined when the result has no state. */
function statesOf({ isAgentLoopInProgress, workingState, tokenUsage }: SessionFindings): SessionFindings | undefined {
  if (isAgentLoopInProgress === undefined && workingState === undefined) return undefined;
  return withoutUndefined({ isAgentLoopInProgress, workingState, tokenUsage });
}
