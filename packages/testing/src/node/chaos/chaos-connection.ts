import type { Socket } from "node:net";
import type { SeededRandom } from "../../seeded-random.js";
import { type ChaosDelay, ChaosDirection } from "./chaos-direction.js";

/** One connection through a `ChaosProxy`, and what can be done to it. */
export class ChaosConnection {
  /** From 1, in the order in which they came. */
  readonly number: number;
  /** What the client sends. */
  readonly toServer: ChaosDirection;
  /** What the server sends. */
  readonly toClient: ChaosDirection;
  /** Chance of this connection alone: the same for the same seed and number, whatever the others do. */
  readonly random: SeededRandom;
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;

  constructor(number: number, client: Socket, server: Socket, random: SeededRandom) {
    this.number = number;
    this.random = random;
    this.#client = client;
    this.#server = server;
    const cut = () => this.cut();
    this.toServer = new ChaosDirection(client, server, random.branch(1), cut);
    this.toClient = new ChaosDirection(server, client, random.branch(2), cut);
    this.closed = Promise.all([client, server].map(closing)).then(() => this.#stop());
  }

  /** Holds every piece of both directions. */
  delay(delay: ChaosDelay): void {
    for (const lane of this.#lanes) lane.delay(delay);
  }

  /** Half-open: nothing passes in either direction, and neither side hears of an end. */
  stall(): void {
    for (const lane of this.#lanes) lane.stall();
  }

  /** Ends a stall. */
  resume(): void {
    for (const lane of this.#lanes) lane.resume();
  }

  /** Breaks the connection on both sides, now, whatever is under way. */
  cut(): void {
    this.#stop();
    this.#client.destroy();
    this.#server.destroy();
  }

  get #lanes(): readonly ChaosDirection[] {
    return [this.toServer, this.toClient];
  }

  #stop(): void {
    for (const lane of this.#lanes) lane.stop();
  }
}

function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // An error is followed by `close`; whoever is on the other side sees the end of its own socket.
    socket.on("error", () => {});
    socket.once("close", () => resolve());
  });
}
