import type { Transport, TransportClose } from "@daemon-sdk/protocol";
import { memoryTransport } from "@daemon-sdk/testing";

/** Bounds of the links that mutants are made of. */
export const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };

/** An end that passes everything on. A mutant overrides the one thing it does wrong. */
export class Passing implements Transport {
  onMessage: ((text: string) => void) | undefined;
  onWritable: (() => void) | undefined;
  onClose: ((event: TransportClose) => void) | undefined;
  readonly inner: Transport;

  constructor(inner: Transport) {
    this.inner = inner;
    inner.onWritable = () => this.writable();
    inner.onClose = (event) => this.ended(event);
    // Like any end it keeps early messages: by listening only once it is listened to.
    Object.defineProperty(this, "onMessage", {
      set: (handler: ((text: string) => void) | undefined) => {
        this.handler = handler;
        inner.onMessage = handler && ((text) => this.receive(text));
      },
      get: () => this.handler,
    });
  }

  handler: ((text: string) => void) | undefined;
  get bufferedBytes(): number {
    return this.inner.bufferedBytes;
  }
  send(text: string): boolean {
    return this.inner.send(text);
  }
  close(code?: number, reason?: string): void {
    this.inner.close(code, reason);
  }
  terminate(): void {
    this.inner.terminate();
  }
  receive(text: string): void {
    this.handler?.(text);
  }
  writable(): void {
    this.onWritable?.();
  }
  ended(event: TransportClose): void {
    this.onClose?.(event);
  }
}

/** A transport that breaks one promise, and the cases that have to notice: all of one law. */
export interface Mutant {
  readonly sin: string;
  readonly caughtBy: readonly string[];
  readonly End: new (inner: Transport) => Passing;
  /** Other bounds than the harness says. */
  readonly bounds?: Partial<typeof bounds>;
}

class LosesMessage extends Passing {
  #count = 0;
  override receive(text: string): void {
    if (++this.#count !== 500) super.receive(text);
  }
}

class SwapsNeighbours extends Passing {
  #count = 0;
  #held: string | undefined;
  override receive(text: string): void {
    this.#count++;
    if (this.#count === 700) {
      this.#held = text;
      return;
    }
    super.receive(text);
    if (this.#held !== undefined) super.receive(this.#held);
    this.#held = undefined;
  }
}

class CutsALargeMessage extends Passing {
  override receive(text: string): void {
    super.receive(text.length === 65_537 ? text.slice(0, 65_536) : text);
  }
}

class ToldInsideTerminate extends Passing {
  #told = false;
  override terminate(): void {
    this.#tell({ clean: false, code: 1006, reason: "" });
    this.inner.terminate();
  }
  override ended(event: TransportClose): void {
    this.#tell(event);
  }
  #tell(event: TransportClose): void {
    if (this.#told) return;
    this.#told = true;
    super.ended(event);
  }
}

class EndsTwice extends Passing {
  override ended(event: TransportClose): void {
    super.ended(event);
    super.ended(event);
  }
}

class SpeaksAfterACut extends Passing {
  override ended(event: TransportClose): void {
    super.ended(event);
    if (event.code === 1006) this.handler?.("one last word");
  }
}

class DropsALongQueueAtClose extends Passing {
  #queue: string[] = [];
  #isOpen = true;

  override get bufferedBytes(): number {
    return this.inner.bufferedBytes + Buffer.byteLength(this.#queue.join(""));
  }
  override send(text: string): boolean {
    if (!this.#isOpen) return false;
    if (this.#queue.length === 0) queueMicrotask(() => this.#flush(this.#queue.length));
    this.#queue.push(text);
    return this.bufferedBytes < bounds.highWaterBytes;
  }
  override close(code?: number, reason?: string): void {
    this.#flush(100);
    this.#stop();
    super.close(code, reason);
  }
  override terminate(): void {
    this.#stop();
    super.terminate();
  }
  override ended(event: TransportClose): void {
    this.#stop();
    super.ended(event);
  }
  #flush(count: number): void {
    for (const text of this.#queue.splice(0, count)) super.send(text);
  }
  #stop(): void {
    this.#isOpen = false;
    this.#queue = [];
  }
}

class BreaksOffAfterItsAnswer extends Passing {
  #heard = 0;
  #sent = 0;
  override receive(text: string): void {
    this.#heard++;
    super.receive(text);
  }
  override send(text: string): boolean {
    this.#sent++;
    return super.send(text);
  }
  override close(code?: number, reason?: string): void {
    if (this.#heard === 1 && this.#sent === 1) this.terminate();
    else super.close(code, reason);
  }
}

class CallsACutClean extends Passing {
  override ended(event: TransportClose): void {
    super.ended(event.code === 1006 ? { ...event, clean: true } : event);
  }
}

class SendsAfterClose extends Passing {
  override send(text: string): boolean {
    return super.send(text) || text.startsWith("after");
  }
}

class NeverSaysFull extends Passing {
  override send(text: string): boolean {
    const isOpen = super.send(text);
    return isOpen || this.bufferedBytes > 0;
  }
}

class SaysWritableTwice extends Passing {
  override writable(): void {
    super.writable();
    super.writable();
  }
}

class NeverSaysWritable extends Passing {
  override writable(): void {}
}

class CountsTooFew extends Passing {
  override get bufferedBytes(): number {
    return Math.max(0, this.inner.bufferedBytes - 500);
  }
}

class ForgetsToCountDown extends Passing {
  #ended = false;
  override ended(event: TransportClose): void {
    this.#ended = true;
    super.ended(event);
  }
  override get bufferedBytes(): number {
    return this.#ended ? Math.max(1, this.inner.bufferedBytes) : this.inner.bufferedBytes;
  }
}

class DropsEarlyMessages extends Passing {
  constructor(inner: Transport) {
    super(inner);
    let isDeaf = true;
    inner.onMessage = (text) => {
      if (!isDeaf) this.handler?.(text);
    };
    Object.defineProperty(this, "onMessage", {
      set: (handler) => {
        isDeaf = handler === undefined;
        this.handler = handler;
      },
      get: () => this.handler,
    });
  }
}

class StopsAtAThrow extends Passing {
  #broken = false;
  override receive(text: string): void {
    if (this.#broken) return;
    try {
      super.receive(text);
    } catch {
      this.#broken = true;
    }
  }
}

class WaitsForItsReader extends Passing {
  #waiting: string[] = [];
  override send(text: string): boolean {
    if (this.handler) return super.send(text);
    this.#waiting.push(text);
    return true;
  }
}

/** Every mutant breaks one promise and keeps all others. */
export const MUTANTS: readonly Mutant[] = [
  { sin: "loses its 500th message", caughtBy: ["T1-order"], End: LosesMessage },
  { sin: "swaps two neighbours", caughtBy: ["T1-order"], End: SwapsNeighbours },
  { sin: "cuts a message of 65 537 bytes short", caughtBy: ["T1-whole"], End: CutsALargeMessage },
  { sin: "tells its end inside terminate", caughtBy: ["T2-asynchrony"], End: ToldInsideTerminate },
  { sin: "tells its end twice", caughtBy: ["T3-one-end"], End: EndsTwice },
  { sin: "delivers a message after a cut", caughtBy: ["T3-one-end"], End: SpeaksAfterACut },
  { sin: "drops a long queue at close", caughtBy: ["T4-polite-close"], End: DropsALongQueueAtClose },
  { sin: "breaks off when it closes behind an answer", caughtBy: ["T4-either-side"], End: BreaksOffAfterItsAnswer },
  { sin: "calls a cut clean", caughtBy: ["T5-cut", "T5-terminate"], End: CallsACutClean },
  { sin: "says yes to messages after its end", caughtBy: ["T6-dead-end"], End: SendsAfterClose },
  { sin: "never says that it is full", caughtBy: ["T7-back-pressure"], End: NeverSaysFull },
  { sin: "says twice that it may go on", caughtBy: ["T7-writable"], End: SaysWritableTwice },
  { sin: "never says that it may go on", caughtBy: ["T7-writable"], End: NeverSaysWritable },
  { sin: "counts too few bytes", caughtBy: ["T8-accounting"], End: CountsTooFew },
  { sin: "keeps counting bytes that are lost", caughtBy: ["T8-after-the-end"], End: ForgetsToCountDown },
  { sin: "drops what comes early", caughtBy: ["T9-before-the-end", "T9-nothing-early"], End: DropsEarlyMessages },
  { sin: "goes silent after a handler threw", caughtBy: ["T10-handlers"], End: StopsAtAThrow },
  { sin: "sends only while it is read", caughtBy: ["T10-directions"], End: WaitsForItsReader },
  { sin: "takes more than its limit", caughtBy: ["T11-bound"], End: Passing, bounds: { maxMessageBytes: 1024 * 1024 } },
  { sin: "refuses its own limit", caughtBy: ["T11-limit"], End: Passing, bounds: { maxMessageBytes: 256 * 1024 - 1 } },
];

/** A link of two such ends. */
export function connectMutant(mutant: Mutant) {
  const { near, far, cut } = memoryTransport({ ...bounds, ...mutant.bounds });
  return { near: new mutant.End(near), far: new mutant.End(far), cut };
}
