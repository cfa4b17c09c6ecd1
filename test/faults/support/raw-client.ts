import { once } from "node:events";
import { WebSocket } from "ws";

/** A message of the session wire, as far as scenarios look at it. */
export interface Frame {
  readonly id?: string | null;
  readonly type?: string;
  readonly method?: string;
  readonly params?: { readonly [key: string]: unknown };
  readonly result?: { readonly [key: string]: unknown };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
  readonly _meta?: { readonly epoch: number; readonly seq: number };
}

/** What every message of the session wire begins with. */
export const ENVELOPE = { jsonrpc: "2.0", factoryApiVersion: "1.0.0" } as const;

/** A client that sends exactly the given frames, on a WebSocket of its own. */
export class RawClient implements Disposable {
  readonly socket: WebSocket;
  /** The code of the close, once it has come. */
  readonly closed: Promise<number>;
  /** Called with every message; answers to {@link call} included. */
  onFrame: ((frame: Frame) => void) | undefined;
  readonly #waiting = new Map<string, (frame: Frame) => void>();
  #calls = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = once(socket, "close").then(([code]) => {
      for (const settle of this.#waiting.values()) settle({ error: { code: 0, message: "the connection was closed" } });
      return code as number;
    });
    socket.on("error", () => {});
    socket.on("message", (data) => this.#take(JSON.parse(String(data)) as Frame));
  }

  static async dial(url: string, headers: Record<string, string> = {}): Promise<RawClient> {
    const socket = new WebSocket(url, { perMessageDeflate: false, headers });
    const client = new RawClient(socket);
    await once(socket, "open");
    return client;
  }

  /** Dials and authenticates; rejects when that is refused. */
  static async connect(url: string, token: string): Promise<RawClient> {
    const client = await RawClient.dial(url);
    const { error } = await client.call("authenticate", { caller: "faults", token });
    if (error !== undefined) throw new Error(`authenticate was refused: ${error.message}`);
    return client;
  }

  send(text: string | Uint8Array): void {
    this.socket.send(text);
  }

  /** A request, and the answer to it; an answer with code 0 means that the connection ended instead. */
  call(method: string, params: unknown): Promise<Frame> {
    const id = `call-${++this.#calls}`;
    return this.ask(id, JSON.stringify({ ...ENVELOPE, type: "request", id, method: `daemon.${method}`, params }));
  }

  /** Sends a text that holds that id, and waits for the message with it. */
  ask(id: string, text: string): Promise<Frame> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
      else resolve({ error: { code: 0, message: "the connection was closed" } });
    });
  }

  /** A notification, which nobody answers. */
  notify(method: string, params: unknown): void {
    this.socket.send(JSON.stringify({ ...ENVELOPE, type: "notification", method: `daemon.${method}`, params }));
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }

  #take(frame: Frame): void {
    const settle = typeof frame.id === "string" ? this.#waiting.get(frame.id) : undefined;
    if (settle !== undefined && frame.type === "response") {
      this.#waiting.delete(frame.id as string);
      settle(frame);
    }
    this.onFrame?.(frame);
  }
}
