import {
  type Clock,
  ConcurrentStreamError,
  type DaemonCapabilities,
  type FollowSessionResult,
  type LoadSessionResult,
  type SessionError,
  type SessionNotification,
  type TrackedTurn,
} from "@daemon-sdk/protocol";
import { idleClock } from "../base/index.js";
import type { ConnectionCalls, StatusEvents } from "../connection/index.js";
import {
  type ActivityHost,
  type DaemonClient,
  type ObservedFeed,
  REASON_OF_STATE,
  SessionActivityWatch,
  type SessionGap,
  type SessionObserver,
} from "../session/index.js";
import { endingOf } from "./session-ending.js";
import type { SessionStream } from "./session-stream.js";
import { SessionTurns, type SessionTurnsHost } from "./session-turns.js";
import type { StreamHost } from "./stream-host.js";

/** What the sessions of one connection share. */
export interface StreamServices {
  readonly capabilities: DaemonCapabilities;
  /** `calls` and `status` state whether there is a link now. */
  readonly calls: ConnectionCalls;
  readonly status: StatusEvents;
  readonly onError: (error: Error) => void;
  /** Default: the computer's. */
  readonly clock: Clock | undefined;
}

/**
 * The one stream of a session that may run at a time. Ends it when the session or its agent is gone, and reports gaps to it. Events
 * of the turn do not pass here: the feed delivers them to the stream.
 */
export class RunningStream implements StreamHost<SessionStream>, ActivityHost, SessionTurnsHost, SessionObserver {
  readonly client: DaemonClient;
  readonly feed: ObservedFeed;
  readonly turns: SessionTurns;
  readonly activity: SessionActivityWatch;
  readonly #services: StreamServices;
  #stream: SessionStream | undefined;
  /** The early copy of the session's end, while a stream still gets the entries before it. */
  #closed: SessionNotification | undefined;

  /** Has to be made before the session is made or loaded, so that no event is missed. */
  constructor(client: DaemonClient, services: StreamServices) {
    this.client = client;
    this.#services = services;
    this.feed = client.observe(this);
    this.activity = new SessionActivityWatch(this);
    this.turns = new SessionTurns(this);
  }

  get clock(): Clock {
    return this.#services.clock ?? idleClock;
  }

  get calls(): ConnectionCalls {
    return this.#services.calls;
  }

  get status(): StatusEvents {
    return this.#services.status;
  }

  get onError(): (error: Error) => void {
    return this.#services.onError;
  }

  get offersTurns(): boolean {
    return this.#services.capabilities.turns === true;
  }

  get offersTurnEvents(): boolean {
    return this.offersTurns && this.#services.capabilities.turnEvents === true;
  }

  get sessionId(): string {
    // The caller gets a handle only once the session has its id.
    return this.client.sessionId as string;
  }

  isStreamed(messageId: string): boolean {
    return this.#stream?.messageId === messageId;
  }

  claim(stream: SessionStream): void {
    this.client.assertConnected();
    if (this.#stream !== undefined) throw new ConcurrentStreamError(this.sessionId);
    this.#set(stream);
  }

  release(stream: SessionStream): void {
    if (this.#stream === stream) this.#set(undefined);
    if (this.#closed !== undefined) this.#endBy(this.#closed);
  }

  get reattaching(): Promise<void> | undefined {
    return this.client.credit && this.feed.reattaching;
  }

  get isSilenceExpected(): boolean {
    return this.client.pendingRequests > 0 || !this.activity.isReachable;
  }

  #set(stream: SessionStream | undefined): void {
    this.#stream = stream;
    this.feed.stream = stream?.events;
  }

  /** Interrupts the running turn; its stream yields the result of that turn. */
  async interrupt(): Promise<void> {
    await this.client.interruptTurn(this.#stream?.events.noteInterrupt());
  }

  /** A handle was closed or detached on this side: its stream, if that runs, ends without an error. */
  close(isOwn: (stream: SessionStream) => boolean): void {
    if (this.#stream !== undefined && isOwn(this.#stream)) this.#stream.close();
    this.turns.recheckReceipts();
  }

  /** The session cannot be reached any more: its stream ends with `error`. */
  fail(error: Error): void {
    this.#stream?.fail(error);
    this.activity.refresh();
    this.turns.recheckReceipts();
  }

  onEvent(notification: SessionNotification, ended: readonly TrackedTurn[]): void {
    this.activity.refresh();
    this.turns.ended(ended);
    this.#recheckAtEnd(notification);
    const { type } = notification;
    if (type === "session_process_exited") {
      this.#stream?.events.agentExited(notification);
      this.turns.agentGone();
    } else if (type === "session_inactivity") {
      this.fail(endingOf(notification, this.sessionId) as SessionError);
      this.turns.agentGone();
    } else this.#endBy(notification);
  }

  onRequest(): void {
    this.activity.refresh();
  }

  onEarly(notification: SessionNotification): void {
    this.activity.refresh();
    this.#recheckAtEnd(notification);
    if (notification.type !== "session_closed") return;
    if (this.#stream === undefined) this.#endBy(notification);
    else this.#closed = notification;
  }

  onBegin(result?: FollowSessionResult): void {
    if (result !== undefined) this.turns.skipTo(result);
    this.#stream?.begin();
  }

  onGap(gap: SessionGap): void {
    const stream = this.#stream;
    stream?.events.gap(gap);
    const { loaded, offersReceipts } = gap;
    if (loaded === undefined) return;
    this.turns.found(loaded);
    const { isBusy } = this.feed.state;
    if (!isBusy) this.turns.forgetMissed();
    if (stream === undefined) return;
    // How the stream's turn ended, if it ended in the gap, is known by its receipt.
    if (offersReceipts === true) void this.#settle(stream, loaded);
    else if (!isBusy) stream.events.foundIdle(loaded);
  }

  /** Ends a stream whose turn ended in a gap, as the daemon's receipt states. */
  async #settle(stream: SessionStream, loaded: LoadSessionResult): Promise<void> {
    const { messageId: turnId } = stream;
    try {
      const { state, reason = REASON_OF_STATE.get(state) } = await this.turns.getReceipt(turnId);
      if (!REASON_OF_STATE.has(state)) return;
      const end: SessionNotification = { type: "agent_turn_completed", turnId, reason };
      const ended = this.turns.apply(end);
      this.#stream?.events.deliver(end, 0, undefined);
      this.onEvent(end, ended);
    } catch {
      if (!this.feed.state.isBusy) stream.events.foundIdle(loaded);
    }
  }

  #recheckAtEnd({ type, turnId }: SessionNotification): void {
    if (type === "agent_turn_completed") this.turns.recheckReceipts(turnId);
  }

  #endBy(notification: SessionNotification): void {
    const error = endingOf(notification, this.sessionId);
    if (error === undefined) return;
    this.#closed = undefined;
    this.client.detach(error);
    this.fail(error);
  }
}
