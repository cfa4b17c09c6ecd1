import { DaemonError, type Logger, type ProtocolError, type TransportClose } from "@daemon-sdk/protocol";
import { createEnvelope, type Envelope, ErrorCode, FrameParser, isMessageType } from "@daemon-sdk/protocol/relay";
import type { Dialect } from "../../connection/index.js";
import type { ConnectedPeer } from "./connected-peer.js";
import type { Admission } from "./handshake.js";
import { type RelayConnection, RelayVoice } from "./relay-voice.js";

/** What a dialect needs of the relay behind it. */
export interface RelayGate {
  readonly maxFrameBytes: number;
  readonly logger: Logger;
  /** Answers a HELLO: the peer it makes is active, or it was refused and the connection closes. */
  welcome(voice: RelayVoice, envelope: Envelope, admission: Admission): ConnectedPeer | undefined;
  /** The peer's connection is active: everybody may hear of it. */
  joined(peer: ConnectedPeer): void;
  /** An envelope of an active peer. */
  received(peer: ConnectedPeer, envelope: Envelope): void;
  /** The peer's connection is gone. */
  left(peer: ConnectedPeer, isPolite: boolean): void;
}

/** Types that say nothing before HELLO, and are not worth a refusal (docs/wire/relay.md#connection-states). */
const SILENT_TYPES: ReadonlySet<string> = new Set(["ACK", "PONG", "PING"]);

/** The relay's dialect of a connection: frames in chunks of bytes, HELLO as the handshake, ERROR and BYE at its end. */
export class RelayDialect implements Dialect<Uint8Array> {
  readonly name = "relay";
  readonly #connection: RelayConnection;
  readonly #gate: RelayGate;
  readonly #admission: Admission;
  readonly #voice: RelayVoice;
  readonly #parser: FrameParser;
  #peer: ConnectedPeer | undefined;
  #isPolite = false;
  #hasLeft = false;

  constructor(connection: RelayConnection, gate: RelayGate, admission: Admission) {
    this.#connection = connection;
    this.#gate = gate;
    this.#admission = admission;
    const { maxFrameBytes, logger } = gate;
    this.#voice = new RelayVoice({ connection, maxFrameBytes, logger });
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
  }

  onError(error: Error): void {
    const code = DaemonError.is(error) ? error.code : undefined;
    if (code === "CONNECT_TIMEOUT") this.#voice.refuse(ErrorCode.TIMEOUT, `${error.message} Send HELLO first.`);
    // Coming back may help: what failed may have been this one frame.
    else if (code === "INTERNAL") this.#voice.refuse(ErrorCode.INTERNAL, error.message);
  }

  ping(): void {
    const ping = createEnvelope("PING", { nonce: "" });
    this.#voice.send({ ...ping, payload: { nonce: ping.id } });
  }

  isBusy(): boolean {
    return this.#peer?.isBusy === true;
  }

  farewell(): string {
    this.#parser.stop();
    // From now on messages wait for its next connection.
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
      this.#voice.end("the peer said BYE");
    } else if (this.#peer !== undefined) this.#gate.received(this.#peer, envelope);
    else if (envelope.type === "HELLO") this.#hello(envelope);
    else this.#early(envelope);
  }

  #hello(envelope: Envelope): void {
    this.#peer = this.#gate.welcome(this.#voice, envelope, this.#admission);
    if (this.#peer !== undefined) this.#connection.accept(this.#peer.name);
  }

  #early({ type, id }: Envelope): void {
    if (!isMessageType(type) || SILENT_TYPES.has(type)) return;
    this.#voice.refuse(ErrorCode.BAD_REQUEST, "Not in ACTIVE state", { refId: id });
  }

  #badFrame(error: ProtocolError): void {
    const id: unknown = Reflect.get(Object(error.data), "id");
    const refId = typeof id === "string" ? id : undefined;
    this.#voice.refuse(ErrorCode.BAD_REQUEST, `Frame error: ${error.message}`, { fatal: true, refId });
  }
}
