import { LIMITS, type ProtocolError } from "@daemon-sdk/protocol";
import {
  createEnvelope,
  type Envelope,
  FrameParser,
  FrameWriter,
  isEnvelopeOf,
  type WelcomePayload,
} from "@daemon-sdk/protocol/relay";
import type { ByteLink } from "@daemon-sdk/transport-ws";
import { linkLost } from "./relay-errors.js";
import type { RelayPlatform } from "./relay-platform.js";

/** What the owner of a {@link RelayLink} hears. */
export interface RelayLinkEvents {
  onEnvelope(envelope: Envelope): void;
  onWritable(): void;
  /** Once. Without an error when the daemon ended it politely. */
  onEnded(error: Error | undefined): void;
}

/** One link that speaks in envelopes: frames both ways, one write per turn, PONG for PING, and a watch on silence. */
export class RelayLink {
  readonly #link: ByteLink;
  readonly #platform: RelayPlatform;
  readonly #events: RelayLinkEvents;
  readonly #parser: FrameParser;
  #writer = new FrameWriter();
  #flushIsDue = false;
  /** Who wants to know when what was written in this turn has left. */
  #onFlushed: (() => void)[] = [];
  #lastHeardAt = performance.now();
  #watch: ReturnType<typeof setInterval> | undefined;
  #closing: ReturnType<typeof setTimeout> | undefined;
  #fault: Error | undefined;
  #hasEnded = false;

  constructor(link: ByteLink, platform: RelayPlatform, events: RelayLinkEvents) {
    this.#link = link;
    this.#platform = platform;
    this.#events = events;
    this.#parser = new FrameParser({
      onFrame: (envelope) => this.#receive(envelope),
      onError: (error: ProtocolError) => this.destroy(error),
    });
    link.start({
      onBytes: (chunk) => {
        this.#lastHeardAt = performance.now();
        this.#parser.push(chunk);
      },
      onEnded: (error) => this.#end(error),
    });
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes + this.#writer.pendingBytes;
  }

  /** From WELCOME on: frames up to what the daemon takes, and an end when it is silent for too long (relay spec §4). */
  keepAlive({ max_frame_bytes, heartbeat_ms }: WelcomePayload["server"]): void {
    this.flush();
    this.#writer = new FrameWriter({ maxFrameBytes: max_frame_bytes });
    const periodMs = Math.max(heartbeat_ms, 1);
    const limitMs = periodMs * LIMITS.relayMissedBeats;
    this.#watch = setInterval(() => {
      const silentMs = performance.now() - this.#lastHeardAt;
      if (silentMs > limitMs) this.destroy(linkLost());
    }, periodMs);
  }

  /** @throws ProtocolError when the envelope is too large or is not JSON; nothing was written then. */
  write(envelope: Envelope<unknown>): void {
    this.#writer.write(envelope);
    this.#flushSoon();
  }

  /** As {@link write}; `onFlushed` is called when the bytes have left. */
  writeText(json: string, onFlushed?: () => void): void {
    this.#writer.writeText(json);
    if (onFlushed !== undefined) this.#onFlushed.push(onFlushed);
    this.#flushSoon();
  }

  /** Hands over what was written, now. */
  flush(): void {
    if (this.#hasEnded || this.#writer.pendingFrames === 0) return;
    const writer = this.#writer;
    const chunk = writer.take();
    const waiting = this.#onFlushed;
    this.#onFlushed = [];
    this.#link.send(chunk, () => {
      writer.release(chunk);
      for (const done of waiting) done();
      this.#events.onWritable();
    });
  }

  /** BYE behind what was written, then the end. */
  sayBye(): void {
    this.write(createEnvelope("BYE", {}));
    this.end();
  }

  /** Ends politely, behind what was written; a daemon that does not answer is waited for `LIMITS.closeGraceMs`. */
  end(): void {
    this.flush();
    this.#link.end();
    this.#closing ??= setTimeout(() => this.#waitNoLonger(), LIMITS.closeGraceMs);
  }

  /** Ends now; `reason` is what `onEnded` tells. */
  destroy(reason?: Error): void {
    this.#fault ??= reason;
    this.#parser.stop();
    this.#link.destroy();
  }

  /** A daemon that still reads gets what was written, though nobody waits for that. */
  #waitNoLonger(): void {
    if (this.bufferedBytes === 0) {
      this.destroy();
      return;
    }
    this.#end(undefined);
    this.#closing = setTimeout(() => this.destroy(), LIMITS.closeTimeoutMs);
  }

  #receive(envelope: Envelope): void {
    if (isEnvelopeOf(envelope, "PING")) this.write(createEnvelope("PONG", envelope.payload));
    else this.#events.onEnvelope(envelope);
  }

  #flushSoon(): void {
    if (this.#writer.pendingBytes >= LIMITS.relaySlabBytes) this.flush();
    if (this.#flushIsDue || this.#writer.pendingFrames === 0) return;
    this.#flushIsDue = true;
    this.#platform.soon(() => {
      this.#flushIsDue = false;
      this.flush();
    });
  }

  #end(error: Error | undefined): void {
    clearTimeout(this.#closing);
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#watch);
    this.#events.onEnded(this.#fault ?? error);
  }
}
