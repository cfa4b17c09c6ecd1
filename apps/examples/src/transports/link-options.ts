import { CLIENT_LIMITS, type Logger, silentLogger } from "@daemon-sdk/protocol";

/** Bounds of a link, and the log of its handlers' exceptions. */
export interface LinkOptions {
  /** Waiting bytes above which `send` returns false. */
  readonly highWaterBytes?: number;
  /** Largest accepted message. */
  readonly maxMessageBytes?: number;
  /** Logs exceptions of handlers. Default: silent. */
  readonly logger?: Logger;
}

/** The options with the defaults of our own transports. */
export function withDefaults({
  highWaterBytes = CLIENT_LIMITS.transportHighWaterBytes,
  maxMessageBytes = CLIENT_LIMITS.sessionFrameBytes,
  logger = silentLogger,
}: LinkOptions): Required<LinkOptions> {
  return { highWaterBytes, maxMessageBytes, logger };
}

/** Law T10: a handler that throws stops neither the link nor the next message. */
export function callHandler<Value>(logger: Logger, handler: ((value: Value) => void) | undefined, value: Value): void {
  try {
    handler?.(value);
  } catch (error) {
    logger.error({ error }, "A handler of a transport threw; the transport goes on.");
  }
}
