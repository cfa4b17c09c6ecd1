import type {
  AddUserMessageParams,
  AddUserMessageResult,
  Clock,
  GetTurnEventsResult,
  PromptIds,
  SessionNotification,
  SessionState,
  TrackedTurn,
  TurnEnd,
} from "@daemon-sdk/protocol";
import type { CreditLease } from "../session/index.js";

/** What a stream needs of the session it belongs to; `Stream` is the class of the stream. */
export interface StreamHost<Stream> {
  readonly sessionId: string;
  /** Whether the daemon offers `turns`. */
  readonly offersTurns: boolean;
  /** Whether the daemon offers `turnEvents`. */
  readonly offersTurnEvents: boolean;
  readonly clock: Clock;
  /** Requests that wait for a person. */
  readonly pendingRequests: number;
  /** Whether there is a link. */
  readonly isReachable: boolean;
  /** Whether the next notifications lie before the position at which this stream's events begin; `begin` follows. */
  readonly isFollowing: boolean;
  /** Set while a call that attaches the session anew is in flight: only its answer says where events go on. */
  readonly reattaching: Promise<void> | undefined;
  /** Makes the daemon send events; undefined where it sends them without credit. */
  attach(): CreditLease | undefined;
  /** Makes `stream` the running stream. Throws when another stream runs, or when the session cannot be used. */
  claim(stream: Stream): void;
  /** `stream` does not run any more; without effect when another stream runs. */
  release(stream: Stream): void;
  /** Undefined when a prompt can be sent now; else resolves when it can. */
  untilFree(): Promise<void> | undefined;
  /** Tracks the prompt's turn from now on, and sends the prompt; resolves at the acknowledgement. */
  sendPrompt(params: Omit<AddUserMessageParams, "sessionId">, prompt: PromptIds): Promise<AddUserMessageResult>;
  /** A page of the events of that message's turn. */
  readTurn(messageId: string, fromSeq: number | undefined): Promise<GetTurnEventsResult>;
  /** Number of the last entry in order that was received. */
  readonly lastSeq: number;
  /** The session's state as it is now, for a stream that takes entries in later than the session does. */
  copyOfState(): SessionState;
  /** Applies a notification that was not received, but stands for what a gap hides, to the session's state. */
  apply(notification: SessionNotification): void;
  /** The tracked turn of that message. */
  turn(messageId: string): TrackedTurn | undefined;
  /** Ends that turn for a reason that no notification states. */
  endTurn(messageId: string, end: TurnEnd): void;
  /** The consumer of that turn's events is gone. */
  leave(messageId: string): void;
  /** Asks to interrupt that message's turn; the outcome does not matter. */
  interruptQuietly(messageId: string): void;
}
