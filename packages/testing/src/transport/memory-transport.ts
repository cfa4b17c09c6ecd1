import { LIMITS, type Logger, silentLogger, type Transport } from "@daemon-sdk/protocol";
import { MemoryEnd } from "./memory-end.js";

/** Options of {@link memoryTransport}. */
export interface MemoryTransportOptions {
  /** Waiting bytes in one direction above which `send` returns false; default `LIMITS.transportHighWaterBytes`. */
  readonly highWaterBytes?: number;
  /** Largest accepted message of both sides; a larger one ends the link with 1009. Default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
  /** Logs exceptions of handlers. Default: silent. */
  readonly logger?: Logger;
}

/** Two linked ends. */
export interface MemoryLink {
  readonly near: Transport;
  readonly far: Transport;
  /** Breaks the link: messages in flight are lost, and both ends get an unclean close. */
  cut(): void;
}

/**
 * A pair of transports in one process that behaves like a wire: no delivery inside the caller's stack, back-pressure from an
 * end that does not read, and a link that can be cut.
 *
 * No timers, no Node, no sockets: it runs on microtasks, so tests need no fake clock. It keeps every law of
 * `transportContract`.
 */
export function memoryTransport(options: MemoryTransportOptions = {}): MemoryLink {
  const settings = {
    highWaterBytes: options.highWaterBytes ?? LIMITS.transportHighWaterBytes,
    maxMessageBytes: options.maxMessageBytes ?? LIMITS.sessionFrameBytes,
    logger: options.logger ?? silentLogger,
  };
  const near = new MemoryEnd(settings);
  const far = new MemoryEnd(settings);
  near.connect(far);
  far.connect(near);
  const cut = (): void => {
    near.breakOff();
    far.breakOff();
  };
  return { near, far, cut };
}
