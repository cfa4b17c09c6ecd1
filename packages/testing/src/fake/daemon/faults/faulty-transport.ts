import { CLIENT_LIMITS, type Clock, type Transport, type TransportClose } from "@daemon-sdk/protocol";
import { FaultyLane } from "./faulty-lane.js";

/** A client's end of a memory link whose wire can be slow, or dead without a close. Otherwise it acts as the wrapped end. */
export class FaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #cutInner: () => void;
  readonly #clock: Clock;
  readonly #toDaemon: FaultyLane;
  readonly #toClient: FaultyLane;
  #onMessage: ((text: string) => void) | undefined;
  #onClose: ((event: TransportClose) => void) | undefined;
  #closeTimer: (() => void) | undefined;
  #isStalled = false;
  #isClosing = false;
  #end: TransportClose | undefined;
  #isEndTold = false;

  constructor(inner: Transport, cut: () => void, clock: Clock) {
    this.#inner = inner;
    this.#cutInner = cut;
    this.#clock = clock;
    this.#toDaemon = new FaultyLane(clock);
    this.#toClient = new FaultyLane(clock);
    inner.onClose = (event) => this.#toClient.push(() => this.#setEnd(event));
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes;
  }

  get onWritable(): (() => void) | undefined {
    return this.#inner.onWritable;
  }

  set onWritable(handler: (() => void) | undefined) {
    this.#inner.onWritable = handler;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    this.#inner.onMessage = handler && ((text) => this.#toClient.push(() => this.#deliver(text)));
  }

  get onClose(): ((event: TransportClose) => void) | undefined {
    return this.#onClose;
  }

  set onClose(handler: ((event: TransportClose) => void) | undefined) {
    this.#onClose = handler;
    if (this.#end) queueMicrotask(() => this.#tellEnd());
  }

  send(text: string): boolean {
    if (this.#isClosing || this.#end) return false;
    if (this.#toDaemon.isClear) return this.#inner.send(text);
    this.#toDaemon.push(() => this.#inner.send(text));
    return true;
  }

  close(code?: number, reason?: string): void {
    if (this.#isClosing || this.#end) return;
    this.#isClosing = true;
    this.#toDaemon.push(() => this.#inner.close(code, reason));
    // A dead peer never answers a close. A socket gives up after this time.
    if (this.#isStalled) {
      this.#closeTimer = this.#clock.setTimer(() => this.terminate(), CLIENT_LIMITS.closeTimeoutMs);
    }
  }

  terminate(): void {
    if (this.#end) return;
    this.#isClosing = true;
    this.#closeTimer?.();
    // Over a dead wire the daemon is not notified.
    if (!this.#isStalled) this.#inner.terminate();
    else this.#setEndSoon({ clean: false, code: 1006, reason: "" });
  }

  /** Breaks the link on both sides and discards held messages. */
  cut(): void {
    this.#closeTimer?.();
    this.#isStalled = false;
    this.#toDaemon.clear();
    this.#toClient.clear();
    this.#cutInner();
  }

  delay(ms: number): void {
    this.#toDaemon.delay(ms);
    this.#toClient.delay(ms);
  }

  stall(): void {
    this.#isStalled = true;
    this.#toDaemon.stall();
    this.#toClient.stall();
  }

  heal(): void {
    this.#isStalled = false;
    this.#closeTimer?.();
    this.delay(0);
    if (this.#end) this.cut();
    this.#toDaemon.release();
    this.#toClient.release();
  }

  #deliver(text: string): void {
    if (!this.#end) this.#onMessage?.(text);
  }

  #setEndSoon(event: TransportClose): void {
    this.#end = event;
    queueMicrotask(() => this.#tellEnd());
  }

  #setEnd(event: TransportClose): void {
    this.#closeTimer?.();
    this.#end ??= event;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (!this.#end || !this.#onClose || this.#isEndTold) return;
    this.#isEndTold = true;
    this.#onClose(this.#end);
  }
}
