import type { Transport, TransportClose } from "@daemon-sdk/protocol";
import type { RecordedFrame } from "./recording.js";

/** Options of {@link recordTransport}. */
export interface RecordOptions {
  /** Keys in addition to {@link SECRET_KEYS} whose values are replaced by `"[redacted]"`, at any depth. */
  readonly secretKeys?: readonly string[];
  /** Clock in milliseconds; default `performance.now()`. */
  readonly now?: () => number;
}

/** Keys that hold credentials on the session wire (docs/protocol.md §3). Their values are never recorded. */
export const SECRET_KEYS: readonly string[] = [
  "token",
  "apiKey",
  "proof",
  "ticket",
  "authorization",
  "password",
  "secret",
];

const REDACTED = "[redacted]";

/**
 * Wraps `inner`, and writes every frame to `sink`: one JSON object per line, with credentials replaced. `FakeDaemon.replays`
 * plays the recording. Text of people and agents is recorded unchanged: check a recording before you share it. Wrap the
 * client's side.
 *
 * ```ts
 * const dial = async (request) => recordTransport(await dialWebSocket(request.url), fileSink("session.jsonl"));
 * ```
 */
export function recordTransport(
  inner: Transport,
  sink: (line: string) => void,
  options: RecordOptions = {},
): Transport {
  return new RecordedTransport(inner, sink, options);
}

class RecordedTransport implements Transport {
  onClose: ((event: TransportClose) => void) | undefined;
  readonly #inner: Transport;
  readonly #write: (direction: RecordedFrame["direction"], text: string) => void;
  #onMessage: ((text: string) => void) | undefined;

  constructor(inner: Transport, sink: (line: string) => void, options: RecordOptions) {
    const { now = () => performance.now(), secretKeys = [] } = options;
    const secret = new Set([...SECRET_KEYS, ...secretKeys]);
    const start = now();
    this.#inner = inner;
    this.#write = (direction, text) => {
      const line: RecordedFrame = { at: Math.round(now() - start), direction, frame: parsed(text, secret) };
      sink(JSON.stringify(line));
    };
    inner.onClose = (event) => this.onClose?.(event);
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

  // Set on `inner` only when it is set here: until then `inner` keeps the messages (T9).
  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    this.#inner.onMessage = handler && ((text) => this.#heard(text));
  }

  send(text: string): boolean {
    this.#write("to-daemon", text);
    return this.#inner.send(text);
  }

  close(code?: number, reason?: string): void {
    this.#inner.close(code, reason);
  }

  terminate(): void {
    this.#inner.terminate();
  }

  #heard(text: string): void {
    this.#write("to-client", text);
    this.#onMessage?.(text);
  }
}

/** A text that is no object is kept as `raw`. */
function parsed(text: string, secret: ReadonlySet<string>): Record<string, unknown> {
  try {
    const frame: unknown = JSON.parse(text, (key, value: unknown) => (secret.has(key) ? REDACTED : value));
    if (typeof frame === "object" && frame !== null && !Array.isArray(frame)) return { ...frame };
  } catch {
    // No JSON: recorded unchanged.
  }
  return { raw: text };
}
