import { WebSocket } from "ws";

/**
 * `ws` in the part of a page's WebSocket. It has the interface of one, save for two habits that the HTML standard asks
 * of `bufferedAmount`: it does not go down within the task that sent, and a closed socket never lowers it.
 */
export class PageSocket extends WebSocket {
  #buffered = 0;

  constructor(url: string | URL) {
    super(url);
    Object.defineProperty(this, "bufferedAmount", { get: () => this.#buffered });
  }

  override send(data: string): void {
    const bytes = Buffer.byteLength(data);
    this.#buffered += bytes;
    super.send(data, (error) => {
      if (!error) this.#buffered -= bytes;
    });
  }
}

/** Gives this process the WebSocket of a page until disposed. */
export function becomePage(): Disposable {
  Reflect.set(globalThis, "WebSocket", PageSocket);
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, "WebSocket") };
}
