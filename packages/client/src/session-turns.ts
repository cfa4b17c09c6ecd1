import {
  type AddUserMessageParams,
  CLIENT_LIMITS,
  ConcurrentStreamError,
  type FollowSessionResult,
  type LoadSessionResult,
  METHODS,
  SessionError,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import type { DaemonClient } from "./daemon-client.js";
import type { SessionGap } from "./session-attachment.js";
import type { CreditLease } from "./session-credit.js";
import type { SessionObserver } from "./session-feed.js";
import type { SessionStream, StreamHost } from "./stream/session-stream.js";
import { type SentPrompt, TurnLedger } from "./turn-ledger.js";

/** Options of {@link SessionTurns}. */
export interface SessionTurnsOptions {
  readonly client: DaemonClient;
  /** Whether the daemon offers `turns`. */
  readonly offersTurns: boolean;
}

/**
 * The turns of one session and the one stream that may follow them: sends prompts, hands notifications on, and ends the stream
 * when the session or its agent goes away.
 */
export class SessionTurns implements StreamHost, SessionObserver {
  readonly offersTurns: boolean;
  readonly turns: TurnLedger;
  readonly #client: DaemonClient;
  #stream: SessionStream | undefined;
  /** Told early; a stream that runs is still to get what came before it. */
  #closed: SessionNotification | undefined;

  /** Make it before the session is made or loaded, so that nothing is missed. */
  constructor({ client, offersTurns }: SessionTurnsOptions) {
    this.#client = client;
    this.offersTurns = offersTurns;
    this.turns = new TurnLedger(offersTurns);
    client.observe(this);
  }

  get sessionId(): string {
    // A handle is only given out once the session has its id.
    return this.#client.sessionId as string;
  }

  claim(stream: SessionStream): void {
    this.#client.assertConnected();
    if (this.#stream !== undefined) throw new ConcurrentStreamError(this.sessionId);
    this.#stream = stream;
  }

  release(stream: SessionStream): void {
    if (this.#stream === stream) this.#stream = undefined;
    if (this.#closed !== undefined) this.#ended(this.#closed);
  }

  attach(): CreditLease | undefined {
    return this.#client.credit?.attach();
  }

  get isFollowing(): boolean {
    return this.#client.credit?.isFollowing === true;
  }

  untilFree(): Promise<void> | undefined {
    // A plain daemon throws queued prompts away when it is interrupted (agent spec), so the turn that was left has to end first.
    if (this.offersTurns || !this.turns.hasLeftTurns) return undefined;
    return this.turns.whenLeftEnded(CLIENT_LIMITS.requestTimeoutMs);
  }

  async sendPrompt(
    params: Omit<AddUserMessageParams, "sessionId">,
    prompt: SentPrompt,
    signal?: AbortSignal,
  ): Promise<void> {
    this.turns.begin(prompt);
    try {
      const options = { id: prompt.requestId, ...(signal === undefined ? {} : { signal }) };
      await this.#client.addUserMessage({ ...params, messageId: prompt.messageId }, options);
    } catch (error) {
      this.turns.forget(prompt.messageId);
      throw error;
    }
  }

  /** Takes over from a result that tells it whether the session is at work. */
  found({ isAgentLoopInProgress, workingState }: Omit<FollowSessionResult, "position">): void {
    if (isAgentLoopInProgress === undefined && workingState === undefined) return;
    this.turns.found(isAgentLoopInProgress === true || (workingState ?? "idle") !== "idle");
  }

  /** Interrupts the running turn; its stream goes on to its result. */
  async interrupt(): Promise<void> {
    this.#stream?.noteInterrupt();
    await this.#client.interruptSession();
  }

  interruptQuietly(): void {
    this.#client.interruptSession().catch(() => {
      // Whoever left the stream is not there to hear it, and the daemon ends the turn one way or another.
    });
  }

  /** The session was closed or detached on this side: its stream ends without an error. */
  close(): void {
    this.#stream?.close();
  }

  /** The session is out of reach: its stream ends with `error`. */
  fail(error: Error): void {
    this.#stream?.fail(error);
  }

  onEvent(notification: SessionNotification, bytes: number): boolean {
    const isHeld = this.#stream?.deliver(notification, bytes) === true;
    // Nearly all there is, and no news of a turn's life: it need not be compared with everything that is.
    if (notification.type !== "assistant_text_delta") this.#observe(notification);
    return isHeld;
  }

  onEarly(notification: SessionNotification): void {
    this.turns.foretell(notification);
    if (notification.type !== "session_closed") return;
    if (this.#stream === undefined) this.#ended(notification);
    else this.#closed = notification;
  }

  onBegin(result?: FollowSessionResult): void {
    if (result !== undefined) {
      this.turns.skip();
      this.found(result);
    }
    this.#stream?.begin();
  }

  onFollowFailed(error: Error): void {
    this.fail(error);
  }

  onLost(error: Error): void {
    this.fail(error);
  }

  onGap(gap: SessionGap): void {
    const stream = this.#stream;
    stream?.gap(gap);
    const { loaded, offersReceipts } = gap;
    if (loaded === undefined) return;
    this.found(loaded);
    // What ended in the gap is not told any more.
    if (!this.turns.isBusy) this.turns.reset();
    if (stream === undefined) return;
    if (offersReceipts === true) void this.#settle(stream, loaded);
    else if (!this.turns.isBusy) stream.foundIdle(loaded);
  }

  /** Ends a stream whose turn's end fell into a gap, by what the daemon noted of it. */
  async #settle(stream: SessionStream, loaded: LoadSessionResult): Promise<void> {
    const { messageId: turnId } = stream;
    try {
      const { receipts } = await this.#client.call(METHODS.getReceipts, { messageIds: [turnId] });
      const { state = "", reason = REASON_OF.get(state) } = receipts[0] ?? {};
      if (REASON_OF.has(state)) this.onEvent({ type: "agent_turn_completed", turnId, reason }, 0);
    } catch {
      if (!this.turns.isBusy) stream.foundIdle(loaded);
    }
  }

  #observe(notification: SessionNotification): void {
    this.turns.observe(notification);
    switch (notification.type) {
      case "session_process_exited":
        this.#stream?.agentExited(notification);
        this.#agentGone();
        break;
      case "session_inactivity":
        this.fail(this.#error("SESSION_DISCONNECTED", notification, "The daemon stopped the agent for inactivity."));
        this.#agentGone();
        break;
      case "session_closed":
        this.#ended(notification);
        break;
      case "session_unsubscribed":
        this.#end(this.#error("SESSION_DETACHED", notification, "The daemon gave this session to another client."));
        break;
    }
  }

  #ended(notification: SessionNotification): void {
    this.#closed = undefined;
    this.#end(this.#error("SESSION_CLOSED", notification, "The session was closed by another client or the daemon."));
  }

  /** A daemon that offers `turns` tells the end of each of them; of another one nothing more is heard. */
  #agentGone(): void {
    if (!this.offersTurns) this.turns.reset();
  }

  #end(error: SessionError): void {
    this.#client.detach(error);
    this.fail(error);
  }

  #error(
    code: "SESSION_DISCONNECTED" | "SESSION_CLOSED" | "SESSION_DETACHED",
    { message }: SessionNotification,
    fallback: string,
  ): SessionError {
    const text = typeof message === "string" && message !== "" ? message : fallback;
    return new SessionError(code, `${text} Resume session ${this.sessionId} to go on.`, { sessionId: this.sessionId });
  }
}

/** Reasons to give for a turn that is known by its final state alone. */
const REASON_OF: ReadonlyMap<string, string> = new Map([
  ["completed", "completed"],
  ["interrupted", "cancelled"],
  ["failed", "error"],
  ["agent_exited", "agent_exited"],
  ["outcome_unknown", "daemon_restarted"],
]);
