import type { Transport, TransportClose } from "@daemon-sdk/protocol";

/** A daemon's side of a wire whose other end can stop reading: what is sent then waits here, and is counted. */
export class Valve implements Transport {
  onWritable: (() => void) | undefined;
  /** The code the daemon closed with. */
  readonly closedByDaemon: Promise<number>;
  readonly #inner: Transport;
  #waiting: string[] = [];
  #bytes = 0;
  #isShut = false;
  #owesWritable = false;
  #tellClosed: (code: number) => void = () => {};

  constructor(inner: Transport) {
    this.#inner = inner;
    inner.onWritable = () => {
      if (!this.#isShut) this.onWritable?.();
    };
    this.closedByDaemon = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  get bufferedBytes(): number {
    return this.#bytes;
  }

  /** What waits until the other end reads. */
  get waitingText(): string {
    return this.#waiting.join("\n");
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#inner.onMessage;
  }

  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#inner.onMessage = handler;
  }

  get onClose(): ((event: TransportClose) => void) | undefined {
    return this.#inner.onClose;
  }

  set onClose(handler: ((event: TransportClose) => void) | undefined) {
    this.#inner.onClose = handler;
  }

  send(text: string): boolean {
    if (!this.#isShut) return this.#inner.send(text);
    this.#waiting.push(text);
    this.#bytes += text.length;
    this.#owesWritable = true;
    return false;
  }

  close(code = 1000): void {
    this.#tellClosed(code);
    if (!this.#isShut) this.#inner.close(code);
  }

  terminate(): void {
    this.#inner.terminate();
  }

  stopReading(): void {
    this.#isShut = true;
  }

  readOn(): void {
    this.#isShut = false;
    for (const text of this.#waiting.splice(0)) this.#inner.send(text);
    this.#bytes = 0;
    if (this.#owesWritable) this.onWritable?.();
    this.#owesWritable = false;
  }
}
