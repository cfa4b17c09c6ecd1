import type { Readable, Writable } from "node:stream";
import {
  CloseCode,
  ConnectionError,
  type CutLine,
  LIMITS,
  LineSplitter,
  type Logger,
  type ProtocolError,
  silentLogger,
  type Transport,
  type TransportClose,
} from "@daemon-sdk/protocol";
import { AGENT_LIMITS } from "../../limits/index.js";
import { PROCESS_LOOP, type SteppedWork } from "./output-share.js";

/** What a {@link StdioTransport} is made of. */
export interface StdioTransportOptions {
  /** Where messages come from: an agent's stdout, or one's own stdin. */
  readonly input: Readable;
  /** Where they go: an agent's stdin, or one's own stdout. */
  readonly output: Writable;
  readonly logger?: Logger;
  /** As of {@link SteppedWork}. */
  readonly loopUse?: string;
  /** Longest line taken; default `LIMITS.agentLineBytes`. */
  readonly maxLineBytes?: number;
  /** Bytes to which the texts of a longer line are cut, for `onCutLine`. Default: such a line is skipped. */
  readonly cutTextBytes?: number;
  /** As of `LineSplitterOptions`. */
  readonly maxBytesOf?: (head: string) => number | undefined;
  /** Whether the end of the input leaves the output open until `close`: answers may follow. Default false. */
  readonly keepsOutput?: boolean;
  /**
   * What may wait for the other side to read, in messages and in bytes. A message that comes when as much waits breaks the output
   * (`onBroken`); any number of bytes may wait as one message. Default: no bound.
   */
  readonly maxUnread?: UnreadBounds;
  /** Bytes waiting above which `send` returns false; default `LIMITS.transportHighWaterBytes`. */
  readonly highWaterBytes?: number;
}

/** Bounds of what the other side has not read. */
export interface UnreadBounds {
  readonly unreadMessages: number;
  readonly unreadBytes: number;
}

const NEWLINE_BYTES = 1;

/**
 * Messages as lines over two pipes, from either end (docs/wire/agent-stdio.md#start).
 *
 * A pipe is not a socket, so three laws of {@link Transport} read differently here. The end of the input is a clean close
 * unless it came in the middle of a line: a pipe shows no more. A line that is too long or no UTF-8 is counted, logged
 * and skipped, and the link stays: agents print strange things. When the output breaks (EPIPE), what the other side said
 * before is still delivered; the link ends with the input.
 *
 * Lines are delivered within the share of the event loop that each transport gets ({@link PROCESS_LOOP}). While lines wait, the
 * pipe is not read.
 */
export class StdioTransport implements Transport, SteppedWork {
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  /** Called once when nothing can be sent any more, though there may still be something to read. */
  onBroken: ((error: Error) => void) | undefined;
  /** Called with each line that was too long, and whose texts were cut (`cutTextBytes`). */
  onCutLine: ((text: string, cut: CutLine) => void) | undefined;
  /** Called with each line that was skipped, and its beginning. */
  onBadLine: ((error: ProtocolError, head: string) => void) | undefined;
  /** Resolves when all that was read is delivered and the link has ended, after `onClose`. */
  readonly ended: Promise<void>;
  /** Lines skipped because they were too long or no UTF-8. */
  badLines = 0;
  readonly loopUse: string | undefined;

  readonly #input: Readable;
  readonly #output: Writable;
  readonly #logger: Logger;
  readonly #highWaterBytes: number;
  readonly #keepsOutput: boolean;
  readonly #splitter: LineSplitter;
  #onMessage: ((text: string) => void) | undefined;
  /** Accepted in this tick; written together at its end. */
  #pending: string[] = [];
  #pendingBytes = 0;
  /** Long texts that are written when the one before has left. */
  #blocks: { readonly data: string | Uint8Array; readonly bytes: number; readonly messages: number }[] = [];
  #blockBytes = 0;
  #writingBytes = 0;
  /** Messages that the other side has not read. */
  #unread = 0;
  readonly #maxUnread: UnreadBounds | undefined;
  #isFlushScheduled = false;
  #owesWritable = false;
  #isMidLine = false;
  /** Read from the pipe, and not cut into lines yet. */
  #chunks: Uint8Array[] = [];
  /** Lines, and lines that cannot be taken, in order. */
  #waiting: (string | (() => void))[] = [];
  #nextWaiting = 0;
  #inputEnd: TransportClose | undefined;
  #markEnded!: () => void;
  #isReading = false;
  #isPaused = false;
  #isOutputEnded = false;
  #isEnded = false;

  constructor(options: StdioTransportOptions) {
    this.#input = options.input;
    this.loopUse = options.loopUse;
    this.#output = options.output;
    this.#logger = options.logger ?? silentLogger;
    this.#highWaterBytes = options.highWaterBytes ?? LIMITS.transportHighWaterBytes;
    this.#maxUnread = options.maxUnread;
    this.#keepsOutput = options.keepsOutput ?? false;
    this.#splitter = new LineSplitter({
      maxLineBytes: options.maxLineBytes ?? LIMITS.agentLineBytes,
      ...(options.cutTextBytes !== undefined && { cutTextBytes: options.cutTextBytes }),
      ...(options.maxBytesOf !== undefined && { maxBytesOf: options.maxBytesOf }),
      onLine: (text, cut) => this.#waiting.push(cut === undefined ? text : () => this.onCutLine?.(text, cut)),
      onError: (error, head) => this.#waiting.push(() => this.#skip(error, head)),
    });
    this.ended = new Promise((resolve) => {
      this.#markEnded = resolve;
    });
    this.#output.on("error", (error) => this.#outputBroke(error));
  }

  get bufferedBytes(): number {
    return this.#pendingBytes + this.#blockBytes + this.#writingBytes;
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
    const fault = this.#unreadFault();
    if (fault !== undefined) {
      this.#outputBroke(fault);
      return false;
    }
    this.#unread += 1;
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
    if (this.#hasWork && !paused) PROCESS_LOOP.add(this);
    this.#regulate();
  }

  /** Delivers one line, or cuts the next bytes into lines. */
  step(): boolean {
    if (this.#isPaused) return false;
    const line = this.#waiting[this.#nextWaiting];
    if (line === undefined) this.#split();
    else {
      this.#nextWaiting++;
      this.#deliver(line);
    }
    if (this.#hasWork) return true;
    this.#regulate();
    this.#finishInput();
    return false;
  }

  close(): void {
    if (this.#isOutputEnded) return;
    this.#flush(true);
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
      this.#chunks.push(chunk);
      if (!this.#isPaused) PROCESS_LOOP.add(this);
      this.#regulate();
    });
    this.#input.once("end", () => this.#readToEnd());
    this.#input.once("error", (error) => this.#inputEnded({ clean: false, code: 1006, reason: error.message, error }));
    this.#input.once("close", () => this.#inputEnded({ clean: false, code: 1006, reason: "the pipe was destroyed" }));
    this.#regulate();
    // Its events are over: the process ended before anybody read.
    if (this.#input.readableEnded || this.#input.destroyed) process.nextTick(() => this.#readToEnd());
  }

  #readToEnd(): void {
    const reason = this.#isMidLine ? "the input ended in the middle of a line" : "";
    this.#inputEnded({ clean: !this.#isMidLine, code: this.#isMidLine ? 1006 : CloseCode.normal, reason });
  }

  get #hasWork(): boolean {
    return this.#chunks.length > 0 || this.#nextWaiting < this.#waiting.length;
  }

  /** The pipe is read while nothing of it waits. */
  #regulate(): void {
    if (this.#isPaused || this.#hasWork) this.#input.pause();
    else this.#input.resume();
  }

  /** Called when no line waits. */
  #split(): void {
    this.#waiting = [];
    this.#nextWaiting = 0;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    this.#splitter.push(chunk.subarray(0, AGENT_LIMITS.linePieceBytes));
    if (chunk.length > AGENT_LIMITS.linePieceBytes) this.#chunks.unshift(chunk.subarray(AGENT_LIMITS.linePieceBytes));
  }

  /** The link ends when all that was read is delivered. */
  #inputEnded(event: TransportClose): void {
    this.#inputEnd ??= event;
    this.#finishInput();
  }

  #finishInput(): void {
    if (this.#inputEnd === undefined || this.#hasWork || this.#isEnded) return;
    this.#waiting = [];
    this.#splitter.end();
    for (const line of this.#waiting) this.#deliver(line);
    this.#end(this.#inputEnd);
  }

  #skip(error: ProtocolError, head: string): void {
    this.badLines++;
    this.#logger.warn({ code: error.code, badLines: this.badLines }, error.message);
    this.onBadLine?.(error, head);
  }

  #deliver(line: string | (() => void)): void {
    try {
      if (typeof line === "string") this.#onMessage?.(line);
      else line();
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

  /**
   * What the other side does not read waits as few long texts: each write that waits takes more memory than a short message.
   *
   * @param isLast whether nothing is sent after it
   */
  #flush(isLast = false): void {
    this.#isFlushScheduled = false;
    if (this.#isOutputEnded) return;
    const isBusy = this.#writingBytes >= LIMITS.coalesceBytes;
    if (this.#pending.length > 0 && (isLast || !isBusy || this.#pendingBytes >= LIMITS.coalesceBytes)) {
      const messages = this.#pending.length;
      this.#pending.push("");
      const text = this.#pending.join("\n");
      // Texts that wait are bytes: those are not part of the heap, which grows by several times what it holds.
      this.#blocks.push({ data: isBusy ? Buffer.from(text) : text, bytes: this.#pendingBytes, messages });
      this.#blockBytes += this.#pendingBytes;
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    while (this.#blocks.length > 0 && (isLast || this.#writingBytes < LIMITS.coalesceBytes)) this.#write();
  }

  #write(): void {
    const { data, bytes, messages } = this.#blocks.shift() ?? { data: "", bytes: 0, messages: 0 };
    this.#blockBytes -= bytes;
    this.#writingBytes += bytes;
    this.#output.write(data, () => this.#written(bytes, messages));
  }

  #written(bytes: number, messages: number): void {
    this.#unread -= messages;
    this.#writingBytes = Math.max(0, this.#writingBytes - bytes);
    if (this.#pending.length > 0 || this.#blocks.length > 0) this.#flush();
    if (!this.#owesWritable || this.#isOutputEnded || this.bufferedBytes >= this.#highWaterBytes) return;
    this.#owesWritable = false;
    this.onWritable?.();
  }

  /** Why nothing more can wait for the other side. */
  #unreadFault(): ConnectionError | undefined {
    const most = this.#maxUnread;
    if (most === undefined) return undefined;
    if (this.#unread >= most.unreadMessages) return unreadError(`${most.unreadMessages} messages`, "unreadMessages");
    if (this.bufferedBytes < most.unreadBytes) return undefined;
    return unreadError(`${this.bufferedBytes} bytes, of at most ${most.unreadBytes},`, "unreadBytes");
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
    this.#blocks = [];
    this.#blockBytes = 0;
    this.#writingBytes = 0;
  }

  #end(event: TransportClose): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#chunks = [];
    this.#waiting = [];
    if (!this.#keepsOutput) this.close();
    this.onClose?.(event);
    this.#markEnded();
  }
}

function unreadError(what: string, bound: keyof UnreadBounds): ConnectionError {
  return new ConnectionError(
    "SLOW_CONSUMER",
    `${what} wait for the other side, which reads none of them (${bound}). Nothing more is sent to it.`,
  );
}
