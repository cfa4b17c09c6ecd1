import { connect, createServer, type Server, type Socket } from "node:net";
import { SeededRandom } from "../../seeded-random.js";
import { ChaosConnection } from "./chaos-connection.js";

/** A place to connect to: a port of this computer (or of `host`), or a unix socket. */
export type ChaosAddress = { readonly port: number; readonly host?: string } | { readonly path: string };

/** Options of {@link ChaosProxy.start}. */
export interface ChaosProxyOptions {
  /** Where everything goes on to. */
  readonly target: ChaosAddress;
  /** Where to listen; default a free port of 127.0.0.1. A unix socket must not be there yet, and is removed at the end. */
  readonly listen?: ChaosAddress;
  /** What all chance of this proxy comes from; default by chance. It stands in {@link ChaosProxy.description}. */
  readonly seed?: number;
  /** Called with each connection before a byte has passed: the place to say what shall go wrong with it. */
  readonly onConnection?: (connection: ChaosConnection) => void;
}

/**
 * A proxy that is a bad network: bytes go from socket to socket, delayed, stalled without an end, cut at any byte, repeated, or
 * slowly, as a test says for each connection. All chance comes from one seed.
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
  /** The seed that was given, or made. */
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

  /** Listens. Rejects with the system's error when it cannot. */
  static async start(options: ChaosProxyOptions): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(options.listen ?? { port: 0, host: "127.0.0.1" }, resolve);
    });
    return proxy;
  }

  /** Where it listens. */
  get address(): ChaosAddress {
    const address = this.#server.address();
    if (typeof address === "string") return { path: address };
    return { port: address?.port ?? 0, host: address?.address ?? "127.0.0.1" };
  }

  /** The port it listens on; 0 on a unix socket. */
  get port(): number {
    const { address } = this;
    return "port" in address ? address.port : 0;
  }

  /** From where to where, and the seed: for the output of a test. */
  get description(): string {
    return `chaos proxy ${nameOf(this.address)} → ${nameOf(this.#options.target)}, seed ${this.seed}`;
  }

  /** Connections that are open, the oldest first. */
  get connections(): readonly ChaosConnection[] {
    return [...this.#connections];
  }

  /** How many connections there were, refused ones too. */
  get accepted(): number {
    return this.#count;
  }

  /** Breaks every connection. New ones are taken. */
  cutAll(): void {
    for (const connection of this.connections) connection.cut();
  }

  /** From now on every new connection is cut at once, as if nobody were there; false ends that. */
  refuse(isRefusing = true): void {
    this.#isRefusing = isRefusing;
  }

  /** Breaks every connection and listens no more. Resolves when nothing of it is left. */
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
