import { type Logger, utf8Bytes } from "../base/index.js";
import { ProtocolError } from "../errors.js";
import { CloseCode } from "./close-codes.js";
import type { Transport, TransportClose } from "./transport.js";

/** Settings of both ends of one memory link. */
export interface MemorySettings {
  readonly highWaterBytes: number;
  readonly maxMessageBytes: number;
  readonly logger: Logger;
}

interface Message {
  readonly text: string;
  readonly bytes: number;
}
/** An item in flight: a message, or the final close. */
type PendingDelivery = Message | { readonly close: { readonly code: number; readonly reason: string } };

const BROKEN: TransportClose = { clean: false, code: 1006, reason: "" };

/**
 * One end of a memory link. Items move from the outbox to the other end's inbox and from there to the handler, one per
 * microtask each, so that both ends make progress as over a wire.
 */
export class MemoryEnd implements Transport {
  onWritable: (() => void) | undefined;
  readonly #settings: MemorySettings;
  #peer: MemoryEnd | undefined;
  #outbox: PendingDelivery[] = [];
  #inbox: Message[] = [];
  #bufferedBytes = 0;
  #inboxBytes = 0;
  #isOpen = true;
  #closedHere = false;
  #isBlocked = false;
  #isAwake = false;
  /** The close to report when the inbox is empty. */
  #end: TransportClose | undefined;
  #isEndTold = false;
  #onMessage: ((text: string) => void) | undefined;
  #onClose: ((event: TransportClose) => void) | undefined;

  constructor(settings: MemorySettings) {
    this.#settings = settings;
  }

  connect(peer: MemoryEnd): void {
    this.#peer = peer;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    this.#wake();
  }

  get onClose(): ((event: TransportClose) => void) | undefined {
    return this.#onClose;
  }

  set onClose(handler: ((event: TransportClose) => void) | undefined) {
    this.#onClose = handler;
    this.#wake();
  }

  send(text: string): boolean {
    if (!this.#isOpen) return false;
    const bytes = utf8Bytes(text);
    this.#outbox.push({ text, bytes });
    this.#bufferedBytes += bytes;
    this.#wake();
    if (this.#bufferedBytes < this.#settings.highWaterBytes) return true;
    this.#isBlocked = true;
    return false;
  }

  close(code: number = CloseCode.normal, reason = ""): void {
    if (!this.#isOpen) return;
    this.#closedHere = true;
    this.#sayClose(code, reason);
  }

  terminate(): void {
    if (this.#isEndTold) return;
    this.#inbox = [];
    this.breakOff();
    this.#peer?.breakOff();
  }

  /** Breaks the link: the outbox is lost, the inbox is still delivered. */
  breakOff(event: TransportClose = BROKEN): void {
    this.#isOpen = false;
    this.#outbox = [];
    this.#bufferedBytes = 0;
    this.#end ??= event;
    this.#wake();
  }

  #sayClose(code: number, reason: string): void {
    this.#isOpen = false;
    this.#outbox.push({ close: { code, reason } });
    this.#wake();
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    queueMicrotask(() => {
      this.#isAwake = false;
      if (this.#step()) this.#wake();
    });
  }

  /** Moves one item out and one in. True when it moved any, so there may be more. */
  #step(): boolean {
    const hasSent = this.#sendOne();
    const hasDelivered = this.#deliverOne();
    this.#tellEnd();
    return hasSent || hasDelivered;
  }

  #sendOne(): boolean {
    const peer = this.#peer;
    // A closing end sends even into a full inbox: its outbox cannot grow, and a close must not wait for a reader.
    if (!peer || (this.#isOpen && peer.#inboxBytes >= this.#settings.highWaterBytes)) return false;
    const delivery = this.#outbox.shift();
    if (!delivery) return false;
    peer.#arrive(delivery);
    if ("bytes" in delivery) this.#bufferedBytes = Math.max(0, this.#bufferedBytes - delivery.bytes);
    if (this.#isBlocked && this.#isOpen && this.#bufferedBytes < this.#settings.highWaterBytes) {
      this.#isBlocked = false;
      this.#call(this.onWritable, undefined, "onWritable");
    }
    return true;
  }

  #arrive(delivery: PendingDelivery): void {
    if (this.#end) return;
    this.#wake();
    if ("close" in delivery) {
      const { code, reason } = delivery.close;
      this.#end = { clean: isPolite(code), code, reason };
      if (this.#isOpen) this.#sayClose(code, reason);
    } else if (delivery.bytes > this.#settings.maxMessageBytes) {
      this.breakOff(tooLarge(this.#settings.maxMessageBytes));
      this.#peer?.breakOff({ clean: false, code: CloseCode.tooLarge, reason: "" });
    } else {
      this.#inbox.push(delivery);
      this.#inboxBytes += delivery.bytes;
    }
  }

  #deliverOne(): boolean {
    if (!this.#onMessage) return false;
    const message = this.#inbox.shift();
    if (!message) return false;
    this.#inboxBytes -= message.bytes;
    if (this.#peer) this.#peer.#wake();
    this.#call(this.#onMessage, message.text, "onMessage");
    return true;
  }

  #tellEnd(): void {
    // An end that closed before it set `onMessage` gets no messages; only the close of the other side waits for a reader.
    if (this.#closedHere && !this.#onMessage) this.#inbox = [];
    if (!this.#end || !this.#onClose || this.#isEndTold || this.#inbox.length > 0) return;
    this.#isEndTold = true;
    this.#call(this.#onClose, this.#end, "onClose");
  }

  /** Calls a handler and logs its exception (T10). */
  #call<Value>(handler: ((value: Value) => void) | undefined, value: Value, name: string): void {
    try {
      handler?.(value);
    } catch (error) {
      this.#settings.logger.error({ error, handler: name }, "A handler of a transport threw; the transport goes on.");
    }
  }
}

/** Codes from 1002 to 2999 report a refusal or a failure (RFC 6455 §7.4). */
function isPolite(code: number): boolean {
  return code < 1002 || code >= 3000;
}

function tooLarge(maxMessageBytes: number): TransportClose {
  const error = new ProtocolError(
    "MESSAGE_TOO_LARGE",
    `The peer sent a message over ${maxMessageBytes} bytes, so the link was closed. Raise maxMessageBytes, or send less.`,
  );
  return { clean: false, code: CloseCode.tooLarge, reason: "", error };
}
