import { afterEach, beforeEach, vi } from "vitest";
import { METHODS, ProtocolEngine } from "../../src/index.js";
import { LinkedTransport } from "./linked-transport.js";

/** For each test of a file: an engine on a link that the test holds the other end of. */
export class EngineDesk {
  link!: LinkedTransport;
  engine!: ProtocolEngine;
  /** Warnings and errors. */
  readonly logged: string[] = [];
  readonly logger = {
    debug: () => {},
    info: () => {},
    warn: (_fields: object, message: string) => void this.logged.push(message),
    error: (_fields: object, message: string) => void this.logged.push(message),
  };

  constructor() {
    beforeEach(() => {
      this.link = new LinkedTransport();
      this.engine = new ProtocolEngine(this.link, { prefix: "daemon", logger: this.logger });
      this.logged.length = 0;
    });
    afterEach(() => void vi.useRealTimers());
  }

  /** A call whose id is `c-1`. */
  ask(options: object = {}) {
    return this.engine.request(METHODS.interruptSession, { sessionId: "s-1" }, { id: "c-1", ...options });
  }
}

/** What a promise rejects with. */
export function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
