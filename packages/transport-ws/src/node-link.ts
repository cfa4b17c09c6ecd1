import type { Duplex } from "node:stream";
import { CloseCode, type TransportClose } from "@daemon-sdk/protocol";
import type { RawData, WebSocket } from "ws";
import { closeEvent, cutEvent, fitReason, tooLargeEvent, violationEvent } from "./close-event.js";
import { Coalescer } from "./coalescer.js";
import type { SocketLink, SocketLinkEvents } from "./socket-link.js";

/** A WebSocket of `ws` as a {@link SocketLink}. `stream` is the socket under it, which takes the corks. */
export class NodeLink implements SocketLink {
  readonly #socket: WebSocket;
  readonly #maxMessageBytes: number;
  readonly #coalescer: Coalescer;
  #bufferedBytes = 0;
  #events: SocketLinkEvents | undefined;
  #error: Error | undefined;

  constructor(socket: WebSocket, stream: Duplex, maxMessageBytes: number) {
    this.#socket = socket;
    this.#maxMessageBytes = maxMessageBytes;
    // Tick end, not microtask: whole promise chains then share one write.
    this.#coalescer = new Coalescer(stream, process.nextTick);
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  start(events: SocketLinkEvents): void {
    this.#events = events;
    this.#socket.on("message", (data) => events.onText(textOf(data)));
    this.#socket.on("error", (error) => {
      this.#error = error;
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
    const error = this.#error;
    if (error === undefined) return closeEvent(code, reason, true);
    const fault = "code" in error && typeof error.code === "string" ? error.code : "";
    if (fault === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") return tooLargeEvent(this.#maxMessageBytes, error);
    if (fault === "WS_ERR_INVALID_UTF8") return violationEvent(1007, error);
    if (fault === "WS_ERR_TOO_MANY_BUFFERED_PARTS") return violationEvent(1008, error);
    if (fault.startsWith("WS_ERR_")) return violationEvent(CloseCode.protocolError, error);
    return cutEvent(error);
  }
}

/** Text of a message; binary ones are read as UTF-8 (session spec §2.5). */
function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}

/** Whether a close frame may carry `code` (RFC 6455 §7.4). */
function isSendable(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}
