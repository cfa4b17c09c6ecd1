import type { Readable, Writable } from "node:stream";
import {
  CloseCode,
  LIMITS,
  LineSplitter,
  type Logger,
  silentLogger,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";

/** What a {@link StdioTransport} is made of. */
export interface StdioTransportOptions {
  /** Where messages come from: an agent's stdout, or one's own stdin. */
  readonly input: Readable;
  /** Where they go: an agent's stdin, or one's own stdout. */
  readonly output: Writable;
  readonly logger?: Logger;
  /** Longest line taken; default `LIMITS.agentLineBytes`. */
  readonly maxLineBytes?: number;
  /** Bytes waiting above which `send` returns false; default `LIMITS.transportHighWaterBytes`. */
  readonly highWaterBytes?: number;
}

const NEWLINE_BYTES = 1;

/**
 * Messages as lines over two pipes, from either end (docs/wire/agent-stdio.md#start).
 *
 * A pipe is not a socket, so three laws of {@link Transport} read differently here. The end of the input is a clean close
 * unless it came in the middle of a line: a pipe shows no more. A line that is too long or no UTF-8 is counted, logged
 * and skipped, and the link stays: agents print strange things. When the output breaks (EPIPE), what the other side said
 * before is still delivered; the link ends with the input.
 */
export class StdioTransport implements Transport {
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  /** Called once when nothing can be sent any more, though there may still be something to read. */
  onBroken: ((error: Error) => void) | undefined;
  /** Lines skipped because they were too long or no UTF-8. */
  badLines = 0;

  readonly #input: Readable;
  readonly #output: Writable;
  readonly #logger: Logger;
  readonly #highWaterBytes: number;
  readonly #splitter: LineSplitter;
  #onMessage: ((text: string) => void) | undefined;
  /** Accepted in this tick; written together at its end. */
  #pending: string[] = [];
  #pendingBytes = 0;
  #writingBytes = 0;
  #isFlushScheduled = false;
  #owesWritable = false;
  #isMidLine = false;
  #isReading = false;
  #isPaused = false;
  #isOutputEnded = false;
  #isEnded = false;

  constructor(options: StdioTransportOptions) {
    this.#input = options.input;
    this.#output = options.output;
    this.#logger = options.logger ?? silentLogger;
    this.#highWaterBytes = options.highWaterBytes ?? LIMITS.transportHighWaterBytes;
    this.#splitter = new LineSplitter({
      maxLineBytes: options.maxLineBytes ?? LIMITS.agentLineBytes,
      onLine: (text) => this.#deliver(text),
      onError: (error) => {
        this.badLines++;
        this.#logger.warn({ code: error.code, badLines: this.badLines }, error.message);
      },
    });
    this.#output.on("error", (error) => this.#outputBroke(error));
  }

  get bufferedBytes(): number {
    return this.#pendingBytes + this.#writingBytes;
  }

  get onMessage(): ((text: string) => void) | undefined {
    return this.#onMessage;
  }

  /** Reading begins when this is set: what arrived before waits in the pipe. */
  set onMessage(handler: ((text: string) => void) | undefined) {
    this.#onMessage = handler;
    if (handler !== undefined && !this.#isReading) this.#startReading();
  }

  send(text: string): boolean {
    if (this.#isOutputEnded) return false;
    this.#pending.push(text);
    this.#pendingBytes += Buffer.byteLength(text) + NEWLINE_BYTES;
    if (this.#pendingBytes >= LIMITS.coalesceBytes) this.#flush();
    else this.#scheduleFlush();
    if (this.bufferedBytes < this.#highWaterBytes) return true;
    this.#owesWritable = true;
    return false;
  }

  /** Stops or restarts reading; the pipe fills, and its writer waits. */
  setPaused(paused: boolean): void {
    this.#isPaused = paused;
    if (!this.#isReading) return;
    if (paused) this.#input.pause();
    else this.#input.resume();
  }

  close(): void {
    if (this.#isOutputEnded) return;
    this.#flush();
    this.#isOutputEnded = true;
    this.#output.end();
  }

  terminate(): void {
    this.#forgetOutput();
    this.#output.destroy();
    this.#input.destroy();
    // A pipe that was never read emits no `close` of its own before the next tick at the earliest.
    process.nextTick(() => this.#end({ clean: false, code: 1006, reason: "terminated" }));
  }

  #startReading(): void {
    this.#isReading = true;
    this.#input.on("data", (chunk: Buffer) => {
      this.#isMidLine = chunk[chunk.length - 1] !== 0x0a;
      this.#splitter.push(chunk);
    });
    this.#input.once("end", () => this.#inputEnded());
    this.#input.once("error", (error) => this.#end({ clean: false, code: 1006, reason: error.message, error }));
    this.#input.once("close", () => this.#end({ clean: false, code: 1006, reason: "the pipe was destroyed" }));
    this.setPaused(this.#isPaused);
    // Its events are over: the process ended before anybody read.
    if (this.#input.readableEnded || this.#input.destroyed) process.nextTick(() => this.#inputEnded());
  }

  #inputEnded(): void {
    this.#splitter.end();
    if (this.#isMidLine) this.#end({ clean: false, code: 1006, reason: "the input ended in the middle of a line" });
    else this.#end({ clean: true, code: CloseCode.normal, reason: "" });
  }

  #deliver(text: string): void {
    try {
      this.#onMessage?.(text);
    } catch (error) {
      this.#logger.error({ error }, "A message handler threw; later messages are delivered");
    }
  }

  /** Everything sent in one tick goes out in one write: a system call costs more than the line it carries. */
  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushScheduled = false;
    if (this.#pending.length === 0 || this.#isOutputEnded) return;
    this.#pending.push("");
    const text = this.#pending.join("\n");
    const bytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writingBytes += bytes;
    this.#output.write(text, () => this.#written(bytes));
  }

  #written(bytes: number): void {
    this.#writingBytes = Math.max(0, this.#writingBytes - bytes);
    if (!this.#owesWritable || this.#isOutputEnded || this.bufferedBytes >= this.#highWaterBytes) return;
    this.#owesWritable = false;
    this.onWritable?.();
  }

  #outputBroke(error: Error): void {
    if (this.#isEnded) return;
    this.#forgetOutput();
    this.#logger.debug({ error: error.message }, "The other side does not read any more");
    this.onBroken?.(error);
  }

  #forgetOutput(): void {
    this.#isOutputEnded = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writingBytes = 0;
  }

  #end(event: TransportClose): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.close();
    this.onClose?.(event);
  }
}
