import { CloseCode, type Logger } from "@daemon-sdk/protocol";
import { createEnvelope, type Envelope, ErrorCode } from "@daemon-sdk/protocol/relay";
import { briefText, type Connection } from "../../connection/index.js";
import type { RefusalOptions } from "../names/index.js";

/** UTF-8 takes at most this many bytes for one UTF-16 unit. */
const UTF8_BYTES_PER_UNIT = 3;

/** A connection of the relay wire, before and after its HELLO. */
export type RelayConnection = Connection<Uint8Array>;

/** Options of {@link RelayWriter}. */
export interface RelayWriterOptions {
  readonly connection: RelayConnection;
  readonly maxFrameBytes: number;
  readonly logger: Logger;
}

/** The writing end of a relay connection: envelopes, refusals, the end. Writes nothing once the connection has ended. */
export class RelayWriter {
  readonly #options: RelayWriterOptions;

  constructor(options: RelayWriterOptions) {
    this.#options = options;
  }

  get connectionId(): string {
    return this.#options.connection.id;
  }

  get connection(): RelayConnection {
    return this.#options.connection;
  }

  /** As of `RelayPeer`. */
  send(envelope: Envelope<object>): void {
    const { connection, maxFrameBytes } = this.#options;
    const text = JSON.stringify(envelope);
    if (text.length * UTF8_BYTES_PER_UNIT <= maxFrameBytes || Buffer.byteLength(text) <= maxFrameBytes) {
      connection.send(text);
      return;
    }
    const message = `A ${envelope.type} for this peer is over the limit of ${maxFrameBytes} bytes. Ask for less.`;
    this.refuse(ErrorCode.INTERNAL, message, { refId: envelope.id });
  }

  /** As of `RelayPeer`. */
  sendText(text: string): void {
    this.#options.connection.send(text);
  }

  /** As of `RelayPeer`. A text that is too long, such as one that quotes the peer, is cut in its middle. */
  refuse(code: ErrorCode, text: string, options: RefusalOptions = {}): void {
    const message = briefText(text);
    const { connection, logger } = this.#options;
    const { fatal = false, refId } = options;
    const fields = { connection: connection.id, peer: connection.peerName, code, refId };
    if (fatal) logger.warn(fields, message);
    else logger.debug(fields, message);
    const reference = refId === undefined ? {} : { ref_id: refId, replyTo: refId };
    this.sendText(JSON.stringify(createEnvelope("ERROR", { code, message, fatal, ...reference })));
    if (fatal) connection.close(CloseCode.protocolError, code);
  }

  /** As of `RelayPeer`. */
  busy(retryAfterMs: number, queueDepth: number, refId: string): void {
    const payload = { retry_after_ms: retryAfterMs, queue_depth: queueDepth, ref_id: refId };
    this.sendText(JSON.stringify(createEnvelope("BUSY", payload)));
  }

  /** As of `RelayPeer`. */
  end(reason: string): void {
    this.#options.connection.close(CloseCode.normal, reason);
  }
}
