import type { Socket } from "node:net";
import type { SeededRandom } from "../../seeded-random.js";
import { type ChaosDelay, ChaosDirection } from "./chaos-direction.js";

/** One connection through a `ChaosProxy`, and its faults. */
export class ChaosConnection {
  /** From 1, in the order of the connections. */
  readonly number: number;
  /** Direction from client to server. */
  readonly toServer: ChaosDirection;
  /** Direction from server to client. */
  readonly toClient: ChaosDirection;
  /** Random numbers of this connection only: the same for the same seed and number, independent of other connections. */
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

  /** Delays every piece in both directions. */
  delay(delay: ChaosDelay): void {
    for (const lane of this.#lanes) lane.delay(delay);
  }

  /** Makes the connection half-open: no byte and no end passes in either direction. */
  stall(): void {
    for (const lane of this.#lanes) lane.stall();
  }

  /** Ends a stall. */
  resume(): void {
    for (const lane of this.#lanes) lane.resume();
  }

  /** Breaks the connection on both sides at once. Bytes in flight are lost. */
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
    // `close` follows an error. The other side gets the end of its own socket.
    socket.on("error", () => {});
    socket.once("close", () => resolve());
  });
}
