import type {
  EnvelopeMeta,
  LoadSessionResult,
  Receipt,
  SessionMessage,
  SessionNotification,
  TrackedTurn,
  TurnEnd,
} from "@daemon-sdk/protocol";
import { MessageBridge, withoutUndefined } from "@daemon-sdk/protocol";
import type { EventQueue } from "../base/index.js";
import { type CreditLease, type EventSink, type SessionGap, snapshotOf } from "../session/index.js";
import { placed } from "./event-position.js";
import type { BridgedEvent, DroidStreamEvent, GapEvent } from "./events.js";
import { missedMessages } from "./missed-messages.js";
import type { ResolvedOutputFormat } from "./output-format.js";
import { ResultCollector } from "./result-collector.js";
import type { SessionTurns } from "./session-turns.js";

/** Of a notification that is no entry, or of a daemon without positions. */
const UNPLACED: EnvelopeMeta = {};

/** Options of {@link TurnEvents}. */
export interface TurnEventsOptions {
  readonly messageId: string;
  readonly sessionId: string;
  readonly turns: SessionTurns;
  readonly includePartialMessages: boolean;
  readonly outputFormat: ResolvedOutputFormat | undefined;
  /** Gets the events. */
  readonly queue: EventQueue<DroidStreamEvent>;
  /** Called once, when the turn has ended; the collector then holds what the result is made of. */
  onEnd(collector: ResultCollector): void;
  /** Called when the events of the turn cannot be read. */
  onFailure(error: Error): void;
}

/**
 * The events of one turn: the session's notifications in, events into the queue of the stream. For a message that the daemon has
 * not had before.
 *
 * The session's feed delivers to this object directly, not through the stream: with ten thousand sessions on a socket, each object
 * on the way of an event is outside the processor's caches.
 */
export class TurnEvents implements EventSink {
  readonly #options: TurnEventsOptions;
  readonly #bridge: MessageBridge;
  readonly #queue: EventQueue<DroidStreamEvent>;
  /** Set from the position at which the turn's events begin until {@link stop}. Earlier notifications belong to other turns. */
  #collector: ResultCollector | undefined;
  /** The stream's share of the session's credit; undefined where the daemon sends events without credit. */
  lease: CreditLease | undefined;
  /** Position of the last notification that was taken, if it has one. */
  place: EnvelopeMeta = UNPLACED;
  #isAcknowledged = false;

  constructor(options: TurnEventsOptions) {
    this.#options = options;
    this.#queue = options.queue;
    this.#bridge = new MessageBridge({ includePartialMessages: options.includePartialMessages });
  }

  /** Whether notifications become events now. */
  get isTaking(): boolean {
    return this.#collector !== undefined;
  }

  /** Whether events of this turn, and not only those of earlier turns, were received. */
  get isTouched(): boolean {
    return this.#collector?.isUntouched === false;
  }

  /** The events of `turn` are among the next notifications. */
  begin(turn: TrackedTurn): void {
    this.collect(turn);
    this.concludeIfEnded();
  }

  /** The daemon has accepted the message. `receipt` is present if the daemon had the message before. */
  acknowledged(_receipt: Receipt | undefined): void {
    this.#isAcknowledged = true;
  }

  /** Drops all later notifications: the turn has ended, or the stream. */
  stop(): void {
    this.#collector = undefined;
  }

  /**
   * Makes events of a notification that the session's state has applied. True: the events wait in the queue, and hold `bytes` of
   * credit until they are consumed.
   */
  deliver(notification: SessionNotification, bytes: number, meta: EnvelopeMeta | undefined): boolean {
    return this.take(notification, bytes, meta);
  }

  /** Yields a gap before the next events, then those messages of the turn that the loaded session has and the stream has not. */
  gap({ reason, from, to, loaded }: SessionGap): void {
    this.inOrder(() => {
      const snapshot = loaded && snapshotOf(loaded);
      this.pushGap({ reason, ...(from && { from }), ...(to && { to }), ...(snapshot && { snapshot }) });
      for (const missed of this.missed(snapshot?.history ?? [])) {
        this.#options.turns.apply(missed);
        this.take(missed, 0);
      }
    });
  }

  /** After a gap no turn runs in the session. So this turn has ended, if the daemon ever accepted its prompt. */
  foundIdle({ session, queuedMessages = [] }: LoadSessionResult): void {
    const { messageId } = this.#options;
    const wasAccepted = this.#isAcknowledged || session.messages.some(({ id }) => id === messageId);
    const isQueued = queuedMessages.some((queued) => queued.messageId === messageId);
    if (wasAccepted && !isQueued) this.inOrder(() => this.#end({ by: "idle" }));
  }

  /** The agent's process has exited. */
  agentExited(notification: SessionNotification): void {
    this.inOrder(() => {
      // A daemon that offers `turns` starts the agent again for a prompt that has not begun.
      if (this.#options.turns.areOffered && !this.isTouched) return;
      this.#end({ by: "completed", reason: "agent_exited" }, notification);
    });
  }

  /** This side interrupts the running turn. Returns the id of this message if the running turn is that of this message. */
  noteInterrupt(): string | undefined {
    this.#collector?.noteInterrupt();
    return this.isTouched ? this.#options.messageId : undefined;
  }

  /** Makes events of a notification; with `isHeld`, the lease holds `bytes` already. Returns what {@link deliver} does. */
  protected take(
    notification: SessionNotification,
    bytes: number,
    meta: EnvelopeMeta | undefined = UNPLACED,
    isHeld = false,
  ): boolean {
    const collector = this.#collector;
    if (collector === undefined) return false;
    const events = this.#bridge.push(notification);
    const hasEnded = collector.observe(notification, events);
    const last = events.length === 0 || collector.isForeign(notification) ? -1 : events.length - 1;
    const { lease } = this;
    this.place = meta;
    if (!isHeld && last >= 0) lease?.hold(bytes);
    for (let index = 0; index <= last; index += 1) {
      const event = placed(events[index] as BridgedEvent, meta, index === last ? undefined : index + 1);
      // Where credit bounds what waits, the last event of a notification has the size that the notification cost.
      if (lease === undefined) this.#queue.push(event);
      else this.#queue.push(event, index === last ? bytes : 0);
    }
    if (hasEnded) this.#options.onEnd(collector);
    return last >= 0 && bytes > 0;
  }

  /** Collects the result of `turn` from the next notifications. */
  protected collect(turn: TrackedTurn): void {
    const { sessionId, outputFormat } = this.#options;
    this.#collector = new ResultCollector(turn, { sessionId, ...withoutUndefined({ outputFormat }) });
  }

  /** The text of the answer, for a turn whose messages are not known. */
  protected noteAnswer(text: string): void {
    this.#collector?.noteAnswer(text);
  }

  /** Concludes the turn if its state holds an end. */
  protected concludeIfEnded(): void {
    const collector = this.#collector;
    collector?.conclude();
    if (collector?.hasEnded === true) this.#options.onEnd(collector);
  }

  /** Ends the turn in the session's state, for a reason that no notification of the turn states. */
  protected endTurn(end: TurnEnd): void {
    this.#options.turns.end(this.#options.messageId, end);
  }

  /** Acts after the events of earlier deliveries; not at all before the turn's events begin, and after {@link stop}. */
  protected inOrder(act: () => void): void {
    if (this.isTaking) act();
  }

  protected pushGap(gap: Omit<GapEvent, "type">): void {
    this.#queue.push({ type: "gap", ...gap }, this.lease && 0);
  }

  /** Notifications for those of `messages` that belong to the turn and that the stream has not received. */
  protected missed(messages: readonly SessionMessage[]): SessionNotification[] {
    return missedMessages(messages, (id) => this.#bridge.hasSeen(id), this.#options.messageId);
  }

  /** `notification` may have more fields of the end than `end` has. */
  #end(end: TurnEnd, notification?: SessionNotification): void {
    this.endTurn(end);
    const collector = this.#collector as ResultCollector;
    collector.conclude(notification);
    this.#options.onEnd(collector);
  }
}
