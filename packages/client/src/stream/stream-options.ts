import type { FileSource, ImageSource } from "@daemon-sdk/protocol";
import type { OutputFormatOption } from "./output-format.js";

/** What a prompt can carry beside its text. */
export interface SendOptions {
  /**
   * Id of the message, and of the turn that it starts. Default: a new UUID. Sending the same id again to a daemon of ours is
   * acknowledged again and acted on once: a stream then yields the turn from its beginning, and its result, whether the turn has
   * ended, runs, or waits.
   */
  messageId?: string;
  images?: ImageSource[];
  files?: FileSource[];
  /** Format of the final answer: a JSON Schema, or a Standard Schema that can make its JSON Schema. */
  outputFormat?: OutputFormatOption;
  /** For `send`: stops waiting for the acknowledgement. For `stream`: interrupts the turn, and the stream throws the reason. */
  signal?: AbortSignal;
}

/** Options of `stream`. */
export interface StreamOptions<Output = unknown> extends SendOptions {
  outputFormat?: OutputFormatOption<Output>;
  /** Also yield every `PartialEvent`: deltas, progress, states, usage and more. Default false. */
  includePartialMessages?: boolean;
  /** The name of `signal` in the original SDK. */
  abortSignal?: AbortSignal;
  /**
   * Milliseconds from the first `next()` after which the stream throws `TimeoutError` (REQUEST_TIMEOUT) and the turn is
   * interrupted; earlier events are still delivered. Default: none.
   */
  timeoutMs?: number;
  /**
   * Milliseconds of silence of the session after which the stream ends in the same way, at most 25 % late. Time in which a
   * request waits for a person, there is no link, or events wait to be read does not count. Default: none.
   */
  idleTimeoutMs?: number;
  /**
   * Bytes of events that may wait for the consumer before the stream fails as SLOW_CONSUMER. Default 64 MiB. Without effect where
   * the daemon offers `credit`, which bounds the events to one window.
   */
  maxBufferedBytes?: number;
}
