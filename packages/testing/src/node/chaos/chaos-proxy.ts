import { connect, createServer, type Server, type Socket } from "node:net";
import { SeededRandom } from "../../seeded-random.js";
import { ChaosConnection } from "./chaos-connection.js";

/** An address: a port of this computer or of `host`, or a unix socket. */
export type ChaosAddress = { readonly port: number; readonly host?: string } | { readonly path: string };

/** Options of {@link ChaosProxy.start}. */
export interface ChaosProxyOptions {
  /** Address to which connections are forwarded. */
  readonly target: ChaosAddress;
  /** Where to listen; default a free port of 127.0.0.1. A unix socket must not be there yet, and is removed at the end. */
  readonly listen?: ChaosAddress;
  /** Seed of all random numbers of this proxy; default a random one. See {@link ChaosProxy.description}. */
  readonly seed?: number;
  /** Called with each connection before its first byte is forwarded, to set its faults. */
  readonly onConnection?: (connection: ChaosConnection) => void;
}

/**
 * A proxy that simulates a bad network: for each connection a test sets delays, stalls, cuts at any byte, repeated bytes and
 * bandwidth. All random numbers derive from one seed.
 *
 * ```ts
 * await using proxy = await ChaosProxy.start({
 *   target: { port },
 *   onConnection: (connection) => connection.toClient.cutAt(connection.random.integer(0, 900)),
 * });
 * console.log(proxy.description); // chaos proxy 127.0.0.1:40123 → 127.0.0.1:37643, seed 2718281828
 * ```
 */
export class ChaosProxy {
  /** The given or generated seed. */
  readonly seed: number;
  readonly #options: ChaosProxyOptions;
  readonly #random: SeededRandom;
  readonly #server: Server;
  readonly #connections = new Set<ChaosConnection>();
  #count = 0;
  #isRefusing = false;

  private constructor(options: ChaosProxyOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.seed = this.#random.seed;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  /** Starts to listen. Rejects with the system's error. */
  static async start(options: ChaosProxyOptions): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(options.listen ?? { port: 0, host: "127.0.0.1" }, resolve);
    });
    return proxy;
  }

  /** Address of the listener. */
  get address(): ChaosAddress {
    const address = this.#server.address();
    if (typeof address === "string") return { path: address };
    return { port: address?.port ?? 0, host: address?.address ?? "127.0.0.1" };
  }

  /** Port of the listener; 0 on a unix socket. */
  get port(): number {
    const { address } = this;
    return "port" in address ? address.port : 0;
  }

  /** Both addresses and the seed, for the output of a test. */
  get description(): string {
    return `chaos proxy ${nameOf(this.address)} → ${nameOf(this.#options.target)}, seed ${this.seed}`;
  }

  /** Open connections, the oldest first. */
  get connections(): readonly ChaosConnection[] {
    return [...this.#connections];
  }

  /** Number of connections so far, refused ones included. */
  get accepted(): number {
    return this.#count;
  }

  /** Breaks every connection. New ones are accepted. */
  cutAll(): void {
    for (const connection of this.connections) connection.cut();
  }

  /** Cuts every new connection at once, as if no server listened; false ends that. */
  refuse(isRefusing = true): void {
    this.#isRefusing = isRefusing;
  }

  /** Breaks every connection and stops listening. Resolves when all sockets are closed. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const ends = this.connections.map((connection) => connection.closed);
    this.cutAll();
    await Promise.all([closed, ...ends]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    const number = ++this.#count;
    if (this.#isRefusing) {
      client.destroy();
      return;
    }
    const server = connect({ ...this.#options.target, allowHalfOpen: true });
    for (const socket of [client, server]) socket.setNoDelay(true);
    const connection = new ChaosConnection(number, client, server, this.#random.branch(number));
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    server.once("error", () => connection.cut());
    this.#options.onConnection?.(connection);
  }
}

function nameOf(address: ChaosAddress): string {
  return "path" in address ? address.path : `${address.host ?? "127.0.0.1"}:${address.port}`;
}
