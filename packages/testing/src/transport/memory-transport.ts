import { LIMITS, type Logger, silentLogger, type Transport } from "@daemon-sdk/protocol";
import { MemoryEnd } from "./memory-end.js";

/** Options of {@link memoryTransport}. */
export interface MemoryTransportOptions {
  /** Bytes waiting in one direction above which `send` returns false; default `LIMITS.transportHighWaterBytes`. */
  readonly highWaterBytes?: number;
  /** Largest message either side takes; a larger one ends the link with 1009. Default `LIMITS.sessionFrameBytes`. */
  readonly maxMessageBytes?: number;
  /** Hears of handlers that threw. Default: silent. */
  readonly logger?: Logger;
}

/** Two linked ends, and the scissors. */
export interface MemoryLink {
  readonly near: Transport;
  readonly far: Transport;
  /** Breaks the link: what is under way in either direction is lost, both ends see an unclean close. */
  cut(): void;
}

/**
 * A pair of transports in one process that behaves like a wire: nothing is delivered inside the caller's stack, an end
 * that does not read slows the other one down, and the link can be cut.
 *
 * No timers, no Node, no sockets: it runs on microtasks, so a test with it is as quick as its own code and needs no
 * fake clock. It obeys every law of `transportContract`.
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
