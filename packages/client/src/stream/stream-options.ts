import type { FileSource, ImageSource } from "@daemon-sdk/protocol";
import type { OutputFormatOption } from "./output-format.js";

/** What a prompt can carry beside its text. */
export interface SendOptions {
  /**
   * Id of the message; the turn it starts is known by it. Default: a new UUID. Sending the same id again to a daemon of ours is
   * acknowledged again and acted on once: a stream then yields the turn from its beginning, and its result, whether the turn is over,
   * runs, or waits.
   */
  messageId?: string;
  images?: ImageSource[];
  files?: FileSource[];
  /** JSON Schema, or a Standard Schema that knows its JSON Schema, which the final answer has to follow. */
  outputFormat?: OutputFormatOption;
  /** For `send`: gives up waiting for the acknowledgement. For `stream`: interrupts the turn, and the stream throws the reason. */
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
   * interrupted; what came before is still delivered. Default: none.
   */
  timeoutMs?: number;
  /**
   * The same after that long without a sign of the session, or up to a quarter later. Time in which a person is asked, the link is
   * away, or events wait to be read does not count. Default: none.
   */
  idleTimeoutMs?: number;
  /**
   * Bytes of events that may wait for the consumer before the stream fails as SLOW_CONSUMER. Default 64 MiB. Means nothing where
   * the daemon offers `credit`: there it sends no more than a window ahead.
   */
  maxBufferedBytes?: number;
}
