import { type Logger, silentLogger } from "../base/index.js";
import { LIMITS } from "../limits/index.js";
import { MemoryEnd } from "./memory-end.js";
import type { Transport } from "./transport.js";

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
 * A pair of transports in one process, for a client and a daemon in one program, and for tests. It behaves like a wire: no
 * delivery inside the caller's stack, back-pressure from an end that does not read, and a link that can be cut.
 *
 * No timers, no Node, no sockets: it runs on microtasks, so tests need no fake clock. It keeps every law of a
 * {@link Transport}.
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
