import { ProtocolError } from "@daemon-sdk/protocol";
import type { FaultSwitches } from "./faults/index.js";
import type { FakeLink } from "./link.js";

/** A test's view of one connection to the fake daemon. */
export interface FakeConnection extends FaultSwitches {
  /** From 1, in the order of the dials. */
  readonly number: number;
  readonly isAuthenticated: boolean;
  /** Whether the client has used extensions (docs/protocol.md §8). */
  readonly usesExtensions: boolean;
}

/** The open connections of a fake daemon, and faults of all present and later connections. */
export class AllConnections implements FaultSwitches {
  readonly #links = new Set<FakeLink>();
  #delayMs = 0;
  #isStalled = false;
  #isSlow = false;

  get size(): number {
    return this.#links.size;
  }

  [Symbol.iterator](): Iterator<FakeLink> {
    return [...this.#links][Symbol.iterator]();
  }

  add(link: FakeLink): void {
    this.#links.add(link);
    if (this.#delayMs > 0) link.delay(this.#delayMs);
    if (this.#isStalled) link.stall();
    if (this.#isSlow) link.slow();
  }

  delete(link: FakeLink): void {
    this.#links.delete(link);
  }

  /** @throws ProtocolError when no connection of that number is open */
  connection(number?: number): FakeConnection {
    const links = [...this.#links];
    const found = number === undefined ? links.at(-1) : links.find((link) => link.number === number);
    if (found) return found;
    const open = links.map((link) => link.number).join(", ") || "none";
    throw new ProtocolError("PROTOCOL_VIOLATION", `No open connection ${number ?? ""}. Open are: ${open}.`);
  }

  drop(): void {
    this.#each((link) => link.drop());
  }

  close(code?: number, reason?: string): void {
    this.#each((link) => link.close(code, reason));
  }

  delay(ms: number): void {
    this.#delayMs = ms;
    this.#each((link) => link.delay(ms));
  }

  stall(): void {
    this.#isStalled = true;
    this.#each((link) => link.stall());
  }

  slow(): void {
    this.#isSlow = true;
    this.#each((link) => link.slow());
  }

  heal(): void {
    this.#delayMs = 0;
    this.#isStalled = false;
    this.#isSlow = false;
    this.#each((link) => link.heal());
  }

  sendBadFrame(text?: string): void {
    this.#each((link) => link.sendBadFrame(text));
  }

  sendUnknownNotification(): void {
    this.#each((link) => link.sendUnknownNotification());
  }

  repeatLastFrame(): void {
    this.#each((link) => link.repeatLastFrame());
  }

  #each(action: (link: FakeLink) => void): void {
    for (const link of this) action(link);
  }
}
