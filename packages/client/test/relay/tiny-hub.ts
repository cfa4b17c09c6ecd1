import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createEnvelope,
  type Envelope,
  encodeFrame,
  FrameParser,
  type MessageType,
  type RelayPayloads,
} from "@daemon-sdk/protocol/relay";

/** What a WELCOME says; default: receipts, and no batches. */
export interface WelcomeOptions {
  receipts?: boolean;
  batches?: boolean;
  session?: string;
  token?: string;
  heartbeatMs?: number;
}

/** The daemon's end of one link. */
export class HubLink {
  readonly received: Envelope[] = [];
  /** Types of all that came, in order. */
  readonly types: string[] = [];
  readonly #socket: Socket;
  readonly ended: Promise<void>;
  #onFrame: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    const parser = new FrameParser({
      onFrame: (envelope) => {
        this.received.push(envelope);
        this.types.push(envelope.type);
        this.#onFrame();
      },
      onError: () => socket.destroy(),
    });
    socket.on("data", (chunk) => parser.push(chunk));
    socket.on("error", () => {});
    this.ended = new Promise((resolve) => socket.on("close", () => resolve()));
  }

  send<Type extends MessageType>(
    type: Type,
    payload: RelayPayloads[Type],
    fields?: Parameters<typeof createEnvelope>[2],
  ): void {
    this.#socket.write(encodeFrame(createEnvelope(type, payload, fields)));
  }

  /** The next envelope of that type that was not asked for yet. */
  async next(type: MessageType): Promise<Envelope> {
    for (;;) {
      const index = this.received.findIndex((envelope) => envelope.type === type);
      const [found] = index === -1 ? [] : this.received.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#onFrame = resolve;
      });
    }
  }

  welcome(options: WelcomeOptions = {}): void {
    const { receipts = true, batches = false, session = "s-1", token = "t-1", heartbeatMs = 5000 } = options;
    const offers = { ...(receipts ? { receipts } : {}), ...(batches ? { batches } : {}) };
    const server = { max_frame_bytes: 1_048_576, heartbeat_ms: heartbeatMs, ...offers };
    this.send("WELCOME", { session_id: session, resume_token: token, server });
  }

  deliver(
    body: string,
    fields: { id?: string; from?: string; seq?: number; data?: Record<string, unknown> } = {},
  ): void {
    const { id, from = "Bob", seq = 1, data } = fields;
    const payload = { kind: "message", body, ...(data === undefined ? {} : { data }) };
    const delivery = { seq, session_id: "s-1" };
    this.send("DELIVER", payload, { from, to: "Alice", delivery, ...(id === undefined ? {} : { id }) });
  }

  /** Reads nothing more, as a daemon that is stopped or out of reach. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  cut(): void {
    this.#socket.destroy();
  }
}

/** A relay daemon that does nothing by itself: the test says each frame. */
export class TinyHub implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "hub-"));
  readonly socketPath = join(this.#directory, "hub.sock");
  readonly #links: HubLink[] = [];
  readonly #all: HubLink[] = [];
  readonly #waiting: ((link: HubLink) => void)[] = [];
  #server: Server = this.#makeServer();

  static async open(): Promise<TinyHub> {
    const hub = new TinyHub();
    await hub.listen();
    return hub;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.socketPath, resolve));
  }

  /** The next link that a client opens. */
  link(): Promise<HubLink> {
    const link = this.#links.shift();
    return link === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(link);
  }

  /** Links opened so far. */
  get linkCount(): number {
    return this.#all.length;
  }

  /** Stops listening and cuts everybody; `listen` starts again. */
  async stop(): Promise<void> {
    for (const link of this.#all) link.cut();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#server = this.#makeServer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #makeServer(): Server {
    return createServer((socket) => {
      const link = new HubLink(socket);
      this.#all.push(link);
      const take = this.#waiting.shift();
      if (take === undefined) this.#links.push(link);
      else take(link);
    });
  }
}
