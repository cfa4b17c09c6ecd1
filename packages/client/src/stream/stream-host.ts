import type { Clock } from "@daemon-sdk/protocol";
import type { DaemonClient, ObservedFeed } from "../session/index.js";
import type { SessionTurns } from "./session-turns.js";

/** What a stream uses of its session; `Stream` is the class of the stream. */
export interface StreamHost<Stream> {
  readonly sessionId: string;
  readonly client: DaemonClient;
  readonly feed: ObservedFeed;
  readonly turns: SessionTurns;
  readonly clock: Clock;
  /** Whether the daemon offers `turnEvents`. */
  readonly offersTurnEvents: boolean;
  /** Whether silence means nothing now: a request waits for a person, or there is no link. */
  readonly isSilenceExpected: boolean;
  /** Set while a call that attaches the session again is in flight. Its answer has the position of the next events. */
  readonly reattaching: Promise<void> | undefined;
  /** Makes `stream` the running stream. Throws when another stream runs, or when the session cannot be used. */
  claim(stream: Stream): void;
  /** `stream` does not run any more; without effect when another stream runs. */
  release(stream: Stream): void;
}
