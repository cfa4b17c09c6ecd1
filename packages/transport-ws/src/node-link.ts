import { type Duplex, PassThrough } from "node:stream";
import { CloseCode, LIMITS, type TransportClose } from "@daemon-sdk/protocol";
import type { RawData, WebSocket } from "ws";
import { closeEvent, cutEvent, fitReason, tooLargeEvent, violationEvent } from "./close-event.js";
import { Coalescer, joinWrites } from "./coalescer.js";
import { FRAMED_UNITS, type LargeMessage, MessageTap, textFrame } from "./frames/index.js";
import type { SocketLink, SocketLinkEvents } from "./socket-link.js";

/**
 * A WebSocket of `ws` as a {@link SocketLink}. The library opens it, closes it, and answers pings. Texts pass it by, on the same
 * socket: both write to it at once, so their frames keep their order.
 */
export class NodeLink implements SocketLink {
  /** Takes a large message in parts; called when one begins. Undefined: it becomes one text. Only links of a server call it. */
  onLarge: (() => LargeMessage | undefined) | undefined;
  readonly #socket: WebSocket;
  readonly #maxMessageBytes: number;
  readonly #coalescer: Coalescer;
  #bufferedBytes = 0;
  #events: SocketLinkEvents | undefined;
  /** A fault in the peer's frames that `ws` found. */
  #fault: Error | undefined;
  /** The error that broke the socket, which `ws` does not report. */
  #breakage: Error | undefined;

  /** The socket, which is corked; undefined where the library does not show it. */
  readonly #stream: Duplex | undefined;
  readonly #isServer: boolean;

  /**
   * @param stream its socket; undefined under Bun, whose replacement of `ws` does not show it: there each message is a write of its own
   * @param isServer whether the peer masks its frames, or this side
   */
  constructor(socket: WebSocket, stream: Duplex | undefined, maxMessageBytes: number, isServer = false) {
    this.#socket = socket;
    this.#stream = stream;
    this.#isServer = isServer;
    this.#maxMessageBytes = maxMessageBytes;
    // At the end of the tick and not in a microtask: so whole promise chains share one write.
    this.#coalescer = new Coalescer(stream ?? new PassThrough(), process.nextTick);
    if (stream === undefined) return;
    joinWrites(stream);
    stream.on("error", (error) => {
      this.#breakage = error;
    });
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  start(events: SocketLinkEvents): void {
    this.#events = events;
    if (this.#stream !== undefined) this.#tap(events, this.#stream);
    this.#socket.on("message", (data) => events.onText(textOf(data)));
    this.#socket.on("error", (error) => {
      this.#fault = error;
    });
    this.#socket.on("close", (code, reason) => events.onEnded(this.#endedBy(code, reason.toString())));
  }

  send(text: string): void {
    // After a close frame the library sends nothing more.
    const stream = this.#socket.readyState === OPEN ? this.#stream : undefined;
    const isFramed = stream !== undefined && text.length < FRAMED_UNITS;
    const data = isFramed ? textFrame(text, !this.#isServer) : encoded(text);
    this.#bufferedBytes += data.length;
    const sent = (error?: Error | null) => {
      this.#bufferedBytes -= data.length;
      if (!error) this.#events?.onFlushed();
    };
    this.#coalescer.write(data.length, () => {
      if (isFramed) stream.write(data, sent);
      else this.#socket.send(data, AS_TEXT, sent);
    });
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

  /** Texts do not pass through the library, which reads what it gets from the socket's `data` events. */
  #tap(events: SocketLinkEvents, stream: Duplex): void {
    const receive = stream.listeners("data").map((listener) => listener.bind(stream));
    const tap = new MessageTap({
      isMasked: this.#isServer,
      fromBytes: LIMITS.largeMessageBytes,
      maxBytes: this.#maxMessageBytes,
      maxFragments: LIMITS.webSocketFragments,
      forward: (bytes) => {
        for (const listener of receive) listener(bytes);
      },
      begin: () => this.onLarge?.() ?? collected(events.onText),
      onText: events.onText,
    });
    stream.removeAllListeners("data");
    stream.on("data", (chunk: Buffer) => tap.push(chunk));
    // The library reads what a socket still holds when it closes; it must not take the middle of a message for a frame.
    stream.prependListener("close", () => {
      for (let rest = stream.read(); rest !== null; rest = stream.read()) tap.push(rest);
    });
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

/** The state of an open socket of the library. */
const OPEN = 1;
const AS_TEXT = { binary: false };
/** A longer text is not kept. */
const KEPT_UNITS = 256 * 1024;
let last: { readonly text: string; readonly bytes: Buffer } | undefined;

/** The bytes of a text: the same ones where it is sent over several links, one after the other. */
function encoded(text: string): Buffer {
  if (last?.text === text) return last.bytes;
  const bytes = Buffer.from(text);
  last = text.length > KEPT_UNITS ? undefined : { text, bytes };
  return bytes;
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

function collected(onText: (text: string) => void): LargeMessage {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  return {
    push: (part) => {
      text += decoder.decode(part, { stream: true });
    },
    end: () => onText(text),
  };
}
