import {
  FACTORY_API_VERSION,
  JSONRPC_VERSION,
  newId,
  ProtocolError,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { within } from "../expectation.js";
import { isEndOf, isEntryOf, type WireFrame, type WirePosition } from "../wire-frame.js";

/** A client of bare frames. It stores all received frames, and sends nothing by itself. */
export class WireClient {
  readonly frames: WireFrame[] = [];
  /** How the connection ended; undefined while it is open. */
  end: TransportClose | undefined;
  readonly transport: Transport;
  readonly #patienceMs: number;
  readonly #waiters = new Set<() => void>();

  constructor(transport: Transport, patienceMs: number) {
    this.transport = transport;
    this.#patienceMs = patienceMs;
    transport.onMessage = (text) => {
      this.frames.push(JSON.parse(text) as WireFrame);
      this.#wake();
    };
    transport.onClose = (end) => {
      this.end = end;
      this.#wake();
    };
  }

  /** Sends a text unchanged. */
  sendRaw(text: string): void {
    this.transport.send(text);
  }

  /** Sends an envelope around `body`. */
  send(body: object): void {
    this.sendRaw(JSON.stringify({ jsonrpc: JSONRPC_VERSION, factoryApiVersion: FACTORY_API_VERSION, ...body }));
  }

  notify(method: string, params: object): void {
    this.send({ type: "notification", method: `daemon.${method}`, params });
  }

  respond(id: string, result: object): void {
    this.send({ type: "response", id, result });
  }

  /** Sends a request and returns its id at once. */
  request(method: string, params: object = {}, extra: object = {}): string {
    const id = newId();
    this.send({ type: "request", id, method: `daemon.${method}`, params, ...extra });
    return id;
  }

  /** The response to a request of that id. */
  response(id: string, what = "a response"): Promise<WireFrame> {
    return this.waitFor((frame) => frame.type === "response" && frame.id === id, what);
  }

  /** Sends a request and waits for its response, a result or an error. */
  call(method: string, params: object = {}, extra: object = {}): Promise<WireFrame> {
    return this.response(this.request(method, params, extra), `the response to ${method}`);
  }

  /** Calls and returns the result. An error response fails the case. */
  async result(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const { result, error } = await this.call(method, params);
    if (result !== undefined) return result;
    throw new ProtocolError("PROTOCOL_VIOLATION", `${method} failed: ${JSON.stringify(error)}`);
  }

  /** Calls and returns the code of the error; undefined when the call succeeded. */
  async codeOf(method: string, params: object = {}): Promise<number | undefined> {
    return (await this.call(method, params)).error?.code;
  }

  /** The first frame from index `from` on that fits, received already or later. */
  async waitFor(fits: (frame: WireFrame) => boolean, what: string, from = 0): Promise<WireFrame> {
    let next = from;
    for (;;) {
      for (; next < this.frames.length; next++) {
        const frame = this.frames[next];
        if (frame !== undefined && fits(frame)) return frame;
      }
      await this.#change(what);
    }
  }

  /** Waits until `claim` holds. It is checked after each frame. */
  async until(claim: () => boolean, what: string): Promise<void> {
    while (!claim()) await this.#change(what);
  }

  /** Resolves with how the connection ended. */
  async ended(): Promise<TransportClose> {
    for (;;) {
      if (this.end) return this.end;
      await within(this.#next(), "the end of the connection", this.#patienceMs);
    }
  }

  /** All entries of one session so far, in order: notifications and server requests, without early copies. */
  entries(sessionId: string): WireFrame[] {
    return this.frames.filter((frame) => isEntryOf(sessionId, frame) && frame._meta?.early !== true);
  }

  /** Positions of {@link entries}. */
  positions(sessionId: string): WirePosition[] {
    return this.entries(sessionId).map(({ _meta }) => ({ epoch: _meta?.epoch ?? -1, seq: _meta?.seq ?? -1 }));
  }

  /** The end of that message's turn. */
  turnEnd(messageId: string): Promise<WireFrame> {
    return this.waitFor((frame) => isEndOf(messageId, frame), "the end of the turn");
  }

  /** A server request of a session, the first one from index `from` on. */
  serverRequest(sessionId: string, from = 0): Promise<WireFrame & { id: string }> {
    const fits = (frame: WireFrame) => frame.type === "request" && frame.params?.sessionId === sessionId;
    return this.waitFor(fits, "a server request", from) as Promise<WireFrame & { id: string }>;
  }

  #change(what: string): Promise<void> {
    if (this.end) {
      const text = `The connection ended with ${this.end.code} while the case waited for ${what}.`;
      throw new ProtocolError("PROTOCOL_VIOLATION", text);
    }
    return within(this.#next(), what, this.#patienceMs);
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiters.add(resolve));
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}
