import type { Transport } from "@daemon-sdk/protocol";
import type { FakeDaemon } from "../src/index.js";

/** A frame, parsed and otherwise untouched. */
export type Frame = Record<string, unknown> & {
  type?: string;
  id?: string;
  method?: string;
  result?: Record<string, unknown>;
  error?: { code: number; message: string };
  params?: Record<string, unknown> & { notification?: Record<string, unknown> & { type: string } };
};

/** A client of bare frames, which stores all received frames. */
export class RawClient {
  readonly frames: Frame[] = [];
  readonly transport: Transport;
  /** Of the session that {@link create} made. */
  sessionId = "";
  readonly #waiters = new Set<() => void>();
  #ids = 0;

  private constructor(transport: Transport) {
    this.transport = transport;
    transport.onMessage = (text) => {
      this.frames.push(JSON.parse(text) as Frame);
      for (const wake of this.#waiters) wake();
      this.#waiters.clear();
    };
  }

  static async connect(daemon: Pick<FakeDaemon, "dial">, apiKey = "key"): Promise<RawClient> {
    const client = await RawClient.open(daemon);
    await client.call("authenticate", { apiKey, caller: "test" });
    return client;
  }

  /** Without authentication. */
  static async open(daemon: Pick<FakeDaemon, "dial">): Promise<RawClient> {
    return new RawClient(await daemon.dial({ url: "memory:", signal: new AbortController().signal }));
  }

  /** Sends a request and waits for its response. */
  async call(method: string, params: object = {}, extra: object = {}): Promise<Frame> {
    const id = `r${++this.#ids}`;
    this.send({ type: "request", id, method: `daemon.${method}`, params, ...extra });
    return this.waitFor((frame) => frame.type === "response" && frame.id === id);
  }

  /** Creates a session and returns its id. */
  async create(params: object = {}): Promise<string> {
    const created = await this.call("initialize_session", { token: "t", machineId: "default", cwd: "/w", ...params });
    this.sessionId = String(created.result?.sessionId);
    return this.sessionId;
  }

  respond(id: string | undefined, result: object): void {
    this.send({ type: "response", id, result });
  }

  send(body: object): void {
    this.transport.send(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...body }));
  }

  /** The first frame, past or future, that fits. */
  async waitFor(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  waitForNotification(type: string, nth = 1): Promise<Frame> {
    let seen = 0;
    const fits = (frame: Frame) => frame.params?.notification?.type === type;
    return this.waitFor((frame) => {
      if (frame === this.frames[0]) seen = 0;
      return fits(frame) && ++seen === nth;
    });
  }

  waitForIdle(nth = 1): Promise<Frame> {
    let seen = 0;
    return this.waitFor((frame) => {
      if (frame === this.frames[0]) seen = 0;
      const notification = frame.params?.notification;
      return notification?.newState === "idle" && ++seen === nth;
    });
  }

  /** Types of the session notifications so far; states as `state:<name>`, server requests by their method. */
  get story(): string[] {
    return this.frames.flatMap((frame) => {
      const notification = frame.params?.notification;
      if (notification?.type === "droid_working_state_changed") return [`state:${String(notification.newState)}`];
      if (notification) return [notification.type];
      return frame.type === "request" ? [`request:${frame.method}`] : [];
    });
  }
}
