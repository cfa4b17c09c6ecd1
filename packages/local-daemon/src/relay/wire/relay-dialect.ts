import { DaemonError, type Logger, type ProtocolError, type TransportClose } from "@daemon-sdk/protocol";
import { createEnvelope, type Envelope, ErrorCode, FrameParser, isMessageType } from "@daemon-sdk/protocol/relay";
import type { ConnectionAccount, Dialect } from "../../connection/index.js";
import { inLoop } from "../../loop/index.js";
import type { ConnectedPeer } from "./connected-peer.js";
import type { Admission, Handshake } from "./handshake.js";
import { type RelayConnection, RelayWriter } from "./relay-writer.js";

/** The relay as its connections use it. */
export interface RelayGate {
  readonly maxFrameBytes: number;
  readonly logger: Logger;
  /** Answers HELLO. */
  readonly handshake: Handshake;
  /** Takes the envelopes of active peers. */
  readonly router: { route(peer: ConnectedPeer, envelope: Envelope): void };
  /** The peer's connection has become active. */
  joined(peer: ConnectedPeer): void;
  /** The peer's connection ends. `isPolite`: the peer said BYE. */
  left(peer: ConnectedPeer, isPolite: boolean): void;
  /** The connection of a peer that sent requests before its HELLO ends. */
  earlyLeft(peer: ConnectedPeer): void;
}

/** What the messages of a peer count to; `isProven`: its HELLO has proven that it acts for the person. */
type AccountOf = (isProven: boolean) => ConnectionAccount;

/** Options of {@link RelayDialect}. */
export interface RelayDialectOptions {
  readonly admission: Admission;
  readonly accountOf: AccountOf;
}

/** Types that are ignored before HELLO, without a refusal (docs/wire/relay.md#connection-states). */
const SILENT_TYPES: ReadonlySet<string> = new Set(["ACK", "PONG", "PING"]);

/** The relay's dialect of a connection: frames in chunks of bytes, HELLO as the handshake, ERROR and BYE at its end. */
export class RelayDialect implements Dialect<Uint8Array> {
  readonly name = "relay";
  readonly #connection: RelayConnection;
  readonly #gate: RelayGate;
  readonly #admission: Admission;
  readonly #writer: RelayWriter;
  readonly #parser: FrameParser;
  readonly #accountOf: AccountOf;
  #peer: ConnectedPeer | undefined;
  /** The sender of requests before HELLO. */
  #early: ConnectedPeer | undefined;
  #isPolite = false;
  #hasLeft = false;

  constructor(connection: RelayConnection, gate: RelayGate, { admission, accountOf }: RelayDialectOptions) {
    this.#connection = connection;
    this.#accountOf = accountOf;
    this.#gate = gate;
    this.#admission = admission;
    const { maxFrameBytes, logger } = gate;
    this.#writer = new RelayWriter({ connection, maxFrameBytes, logger });
    this.#parser = new FrameParser({
      maxFrameBytes,
      onFrame: (envelope) => this.#frame(envelope),
      onError: (error) => this.#badFrame(error),
    });
  }

  onMessage(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  onActive(): void {
    if (this.#peer !== undefined) this.#gate.joined(this.#peer);
  }

  onClose(_event: TransportClose): void {
    this.#parser.stop();
    this.#leave();
    if (this.#early !== undefined) this.#gate.earlyLeft(this.#early);
  }

  onError(error: Error): void {
    const code = DaemonError.is(error) ? error.code : undefined;
    if (code === "CONNECT_TIMEOUT") this.#writer.refuse(ErrorCode.TIMEOUT, `${error.message} Send HELLO first.`);
    // Not fatal: the failure may be due to this one frame, so connecting again may help.
    else if (code === "INTERNAL") this.#writer.refuse(ErrorCode.INTERNAL, error.message);
  }

  ping(): void {
    // A client without HELLO expects the answer to its request, and nothing else.
    if (this.#peer === undefined) return;
    const ping = createEnvelope("PING", { nonce: "" });
    this.#writer.send({ ...ping, payload: { nonce: ping.id } });
  }

  isBusy(): boolean {
    return this.#peer === undefined || this.#peer.isBusy;
  }

  finalMessage(): string {
    this.#parser.stop();
    // From now on messages wait for the peer's next connection.
    this.#leave();
    return JSON.stringify(createEnvelope("BYE", {}));
  }

  #leave(): void {
    if (this.#peer !== undefined && !this.#hasLeft) this.#gate.left(this.#peer, this.#isPolite);
    this.#hasLeft = true;
  }

  #frame(envelope: Envelope): void {
    if (envelope.type === "BYE") {
      this.#isPolite = true;
      this.#writer.end("the peer said BYE");
    } else if (this.#peer !== undefined) this.#route(this.#peer, envelope);
    else if (envelope.type === "HELLO") this.#hello(envelope);
    else if (!SILENT_TYPES.has(envelope.type)) this.#beforeHello(envelope);
  }

  #route(peer: ConnectedPeer, envelope: Envelope): void {
    inLoop(`relay messages of ${peer.name}`, () => this.#gate.router.route(peer, envelope));
  }

  #hello(envelope: Envelope): void {
    this.#peer = this.#gate.handshake.answer(this.#writer, envelope, this.#admission);
    if (this.#peer === undefined) return;
    const wasActive = this.#early !== undefined;
    this.#connection.accept(this.#peer.name, this.#accountOf(this.#peer.isProven));
    if (wasActive) this.#gate.joined(this.#peer);
  }

  /** A request before HELLO. All of one connection have the sender of the first, or none. */
  #beforeHello(envelope: Envelope): void {
    const { type, id, from = "" } = envelope;
    if (!isMessageType(type)) return;
    const peer = this.#gate.handshake.early(this.#writer, envelope, this.#admission);
    if (peer === undefined || (this.#early !== undefined && this.#early.name !== from)) {
      this.#writer.refuse(ErrorCode.BAD_REQUEST, "Not in ACTIVE state", { refId: id });
      return;
    }
    this.#early ??= peer;
    this.#connection.accept(from, this.#accountOf(false));
    this.#route(this.#early, envelope);
  }

  #badFrame(error: ProtocolError): void {
    const id: unknown = Reflect.get(Object(error.data), "id");
    const refId = typeof id === "string" ? id : undefined;
    this.#writer.refuse(ErrorCode.BAD_REQUEST, `Frame error: ${error.message}`, { fatal: true, refId });
  }
}
