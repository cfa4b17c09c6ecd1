import net from "node:net";
import { newId } from "@daemon-sdk/protocol";
import { createEnvelope, type Envelope, encodeFrame, FrameParser, type MessageType } from "@daemon-sdk/protocol/relay";
import { createDaemon, type Daemon, type DaemonConfig, MemoryStore } from "../../src/server.js";
import { type TempHome, tempHome } from "../rendezvous/temp-home.js";
import { scrape } from "../server/scrape.js";

/** Any envelope as a test looks at it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every type
export type Seen = Envelope<any> & { delivery?: { seq: number; session_id: string; originalTo?: string } };

/** A peer that writes frames by hand on a real socket. */
export class RawPeer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** Acknowledges each DELIVER at once. */
  isAcking = true;
  isEnded = false;
  readonly socket: net.Socket;
  #waiters: { isMet(): boolean; resolve(): void }[] = [];

  constructor(socket: net.Socket) {
    this.socket = socket;
    const parser = new FrameParser({ onFrame: (envelope) => this.#frame(envelope as Seen), onError: () => {} });
    socket.on("data", (chunk) => {
      parser.push(chunk);
      this.#check();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isEnded = true;
      this.#check();
    });
  }

  write(...envelopes: Envelope<object>[]): void {
    this.socket.write(Buffer.concat(envelopes.map((envelope) => encodeFrame(envelope, 8 * 1024 * 1024))));
  }

  /** Says HELLO and waits for WELCOME. Fails when the daemon refuses the HELLO. */
  async hello(agent: string, payload: object = {}): Promise<Seen> {
    this.write(createEnvelope("HELLO", { agent, ...payload }));
    await this.when(() => this.all("WELCOME").length > 0 || this.isEnded);
    const [welcome] = this.all("WELCOME");
    if (welcome === undefined) throw new TypeError(`HELLO ${agent}: ${JSON.stringify(this.seen[0]?.payload)}`);
    return welcome;
  }

  /** Sends a message; returns the id of the SEND. */
  send(to: string, body: string, fields: object = {}): string {
    const envelope = sendOf(to, body, fields);
    this.write(envelope);
    return envelope.id;
  }

  ack({ id, delivery }: Seen, fields: object = {}): void {
    this.write(createEnvelope("ACK", { ack_id: id, seq: delivery?.seq ?? 0, ...fields }));
  }

  all(type: MessageType): Seen[] {
    return this.seen.filter((envelope) => envelope.type === type);
  }

  /** Bodies of the DELIVERs so far. */
  bodies(): string[] {
    return this.all("DELIVER").map(({ payload }) => payload.body as string);
  }

  /** The `count`th envelope of a type, counted from the first one ever. */
  async next(type: MessageType, count = 1): Promise<Seen> {
    await this.when(() => this.all(type).length >= count);
    return this.all(type)[count - 1] as Seen;
  }

  /** Everything that was sent before has been handled: a query's refusal comes back behind it. */
  async settled(): Promise<void> {
    const probe = createEnvelope("HELLO", { agent: "probe" }, { id: newId() });
    this.write(probe);
    await this.when(() => this.all("ERROR").some(({ payload }) => payload.ref_id === probe.id));
  }

  ended(): Promise<void> {
    return this.when(() => this.isEnded);
  }

  when(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isMet, resolve }));
  }

  /** Says BYE, and waits for the daemon's: from then on messages for the name wait. */
  async leave(): Promise<void> {
    this.write(createEnvelope("BYE", {}));
    await this.ended();
  }

  async cut(): Promise<void> {
    this.socket.destroy();
    await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
  }

  #frame(envelope: Seen): void {
    this.seen.push(envelope);
    if (envelope.type === "DELIVER" && this.isAcking) this.ack(envelope);
  }

  #check(): void {
    const met = this.#waiters.filter(({ isMet }) => isMet());
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const { resolve } of met) resolve();
  }
}

/** What the peers of these tests show as their process. */
export const SAME_PROCESS = { process_credential: "the credential of these tests" };

/** A SEND, not yet sent. */
export function sendOf(to: string, body: string, fields: object = {}): Envelope<object> {
  return createEnvelope("SEND", { kind: "message", body }, { to, ...fields });
}

/** Sends a query, and waits for the answer with its id. */
export async function query(peer: RawPeer, type: MessageType, payload: object = {}): Promise<Seen> {
  const request = createEnvelope(type, payload as never);
  peer.write(request);
  const isAnswer = ({ id, type: answered }: Seen) => id === request.id && answered !== type;
  await peer.when(() => peer.seen.some(isAnswer));
  return peer.seen.find(isAnswer) as Seen;
}

/** A daemon in this process, with a store in memory unless told otherwise. */
export class RelayDaemon implements AsyncDisposable {
  readonly #daemon: Daemon;
  readonly #home: TempHome;
  readonly #peers: RawPeer[] = [];

  static async start(config: DaemonConfig = {}): Promise<RelayDaemon> {
    const home = tempHome();
    return new RelayDaemon(await createDaemon({ stateDir: home.state, store: new MemoryStore(), ...config }), home);
  }

  private constructor(daemon: Daemon, home: TempHome) {
    this.#daemon = daemon;
    this.#home = home;
  }

  get stateDir(): string {
    return this.#home.state;
  }

  get endpoint(): Daemon["endpoint"] {
    return this.#daemon.endpoint;
  }

  /** What of the relay spans a fleet. */
  get exchange(): NonNullable<Daemon["relay"]> {
    if (this.#daemon.relay === undefined) throw new TypeError("this daemon has no relay");
    return this.#daemon.relay;
  }

  /** A connection that has said nothing. */
  async dial(): Promise<RawPeer> {
    const socket = net.connect(this.endpoint.socketPath ?? "");
    const peer = new RawPeer(socket);
    this.#peers.push(peer);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return peer;
  }

  /** A peer that is active. All of them are of one process, so that one has its name again when it comes back. */
  async connect(name: string, payload: object = {}): Promise<RawPeer> {
    const peer = await this.dial();
    await peer.hello(name, { ...SAME_PROCESS, ...payload });
    return peer;
  }

  /** A peer of another process, which shows no credential, as clients of the original do; or what became of its HELLO. */
  async stranger(name: string, payload: object = {}): Promise<RawPeer> {
    const peer = await this.dial();
    peer.write(createEnvelope("HELLO", { agent: name, ...payload }));
    await peer.when(() => peer.all("WELCOME").length > 0 || peer.isEnded);
    return peer;
  }

  /** What `/metrics` states of the mail for a machine, by the names of the metrics; empty when it states nothing. */
  async outboxMetrics(machineId: string): Promise<Record<string, number>> {
    const { text } = await scrape({ socketPath: this.endpoint.socketPath ?? "" });
    const lines = text.matchAll(/^daemon_sdk_outbox_(\w+)\{machine="([^"]+)"\} (\S+)$/gm);
    return Object.fromEntries(
      [...lines].flatMap(([, name, of, value]) => (of === machineId ? [[name, Number(value)]] : [])),
    );
  }

  close(): Promise<void> {
    return this.#daemon.close({ drainMs: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.socket.destroy();
    await this.close();
    this.#home[Symbol.dispose]();
  }
}
