import type { Transport, TransportClose } from "../../src/index.js";

/** One end of a link for these tests: what it sends is kept, what the test delivers arrives at once. */
export class LinkedTransport implements Transport {
  readonly bufferedBytes = 0;
  onMessage: ((text: string) => void) | undefined;
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  /** Texts that were sent, oldest first. */
  readonly sent: string[] = [];
  #hasEnded: boolean = false;

  /** What was sent, parsed. */
  get frames(): Record<string, unknown>[] {
    return this.sent.map((text) => JSON.parse(text) as Record<string, unknown>);
  }

  send(text: string): boolean {
    if (!this.#hasEnded) this.sent.push(text);
    return !this.#hasEnded;
  }

  deliver(frame: object | string): void {
    this.onMessage?.(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  close(code = 1000, reason = ""): void {
    this.end({ clean: true, code, reason });
  }

  terminate(): void {
    this.end({ clean: false, code: 1006, reason: "" });
  }

  /** The link ends, as the far side or the network may end it. */
  end(event: TransportClose): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.onClose?.(event);
  }
}

/** A frame of the wire, with what every frame carries. */
export function frame(fields: object): object {
  return { jsonrpc: "2.0", factoryApiVersion: "1.0.0", ...fields };
}

export const result = (id: unknown, value: unknown = {}) => frame({ type: "response", id, result: value });
export const failure = (id: unknown, code: number, message = "no", data?: unknown) =>
  frame({ type: "response", id, error: { code, message, data } });
export const request = (id: unknown, method: string, params: object = {}) =>
  frame({ type: "request", id, method, params });
export const notification = (method: string, params: object) => frame({ type: "notification", method, params });
