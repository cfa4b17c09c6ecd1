import type { Duplex } from "node:stream";
import { CloseCode, type TransportClose } from "@daemon-sdk/protocol";
import type { RawData, WebSocket } from "ws";
import { closeEvent, cutEvent, fitReason, tooLargeEvent, violationEvent } from "./close-event.js";
import { Coalescer } from "./coalescer.js";
import type { SocketLink, SocketLinkEvents } from "./socket-link.js";

/** A WebSocket of `ws` as a {@link SocketLink}. `stream` is its socket, which is corked. */
export class NodeLink implements SocketLink {
  readonly #socket: WebSocket;
  readonly #maxMessageBytes: number;
  readonly #coalescer: Coalescer;
  #bufferedBytes = 0;
  #events: SocketLinkEvents | undefined;
  /** A fault in the peer's frames that `ws` found. */
  #fault: Error | undefined;
  /** The error that broke the socket, which `ws` does not report. */
  #breakage: Error | undefined;

  constructor(socket: WebSocket, stream: Duplex, maxMessageBytes: number) {
    this.#socket = socket;
    this.#maxMessageBytes = maxMessageBytes;
    // At the end of the tick and not in a microtask: so whole promise chains share one write.
    this.#coalescer = new Coalescer(stream, process.nextTick);
    stream.on("error", (error) => {
      this.#breakage = error;
    });
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  start(events: SocketLinkEvents): void {
    this.#events = events;
    this.#socket.on("message", (data) => events.onText(textOf(data)));
    this.#socket.on("error", (error) => {
      this.#fault = error;
    });
    this.#socket.on("close", (code, reason) => events.onEnded(this.#endedBy(code, reason.toString())));
  }

  send(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#bufferedBytes += bytes;
    this.#coalescer.write(bytes, () =>
      this.#socket.send(text, (error) => {
        this.#bufferedBytes -= bytes;
        if (!error) this.#events?.onFlushed();
      }),
    );
  }

  close(code: number, reason: string): void {
    this.#socket.close(isSendable(code) ? code : CloseCode.normal, fitReason(reason));
    this.#coalescer.flush();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #endedBy(code: number, reason: string): TransportClose {
    if (this.#fault) return this.#faultEvent(this.#fault);
    // A socket that breaks after a completed closing handshake counts as closed cleanly.
    return code === 1006 ? cutEvent(this.#breakage) : closeEvent(code, reason, true);
  }

  #faultEvent(fault: Error): TransportClose {
    const code = "code" in fault ? fault.code : undefined;
    if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return tooLargeEvent(this.#maxMessageBytes, fault);
    if (code === "WS_ERR_INVALID_UTF8") return violationEvent(1007, fault);
    if (code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") return violationEvent(1008, fault);
    return violationEvent(CloseCode.protocolError, fault);
  }
}

/** Text of a message; binary ones are read as UTF-8 (docs/wire/session.md#open-connection). */
function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}

/** Whether a close frame may carry `code` (RFC 6455 §7.4). */
function isSendable(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
