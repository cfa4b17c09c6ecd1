import { LIMITS, type ProtocolError } from "@daemon-sdk/protocol";
import {
  type AckPayload,
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
  /** Bytes that waited have left, and with them the next so many of the texts that are counted. */
  onFlushed(count: number): void;
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
  /** Counted texts among what was written in this turn. */
  #counted = 0;
  #readsBatches = false;
  /** The acknowledgements of this turn, for a daemon that reads them in one. */
  #ack: (AckPayload & { also: string[] }) | undefined;
  /** Periods without a byte. They are counted, not timed: a process that stood still has had no chance to hear. */
  #silentPeriods = 0;
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
        this.#silentPeriods = 0;
        this.#parser.push(chunk);
      },
      onEnded: (error) => this.#end(error),
    });
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes + this.#writer.pendingBytes;
  }

  /**
   * From WELCOME on: frames up to what the daemon takes, and an end when it is silent for too long
   * (docs/wire/relay.md#heartbeat).
   */
  keepAlive({ max_frame_bytes, heartbeat_ms, batches = false }: WelcomePayload["server"]): void {
    this.flush();
    this.#readsBatches = batches;
    this.#writer = new FrameWriter({ maxFrameBytes: max_frame_bytes });
    this.#watch = setInterval(
      () => {
        this.#silentPeriods += 1;
        if (this.#silentPeriods > LIMITS.relayMissedBeats) this.destroy(linkLost());
      },
      Math.max(heartbeat_ms, 1),
    );
  }

  /** @throws ProtocolError when the envelope is too large or is not JSON; nothing was written then. */
  write(envelope: Envelope<unknown>): void {
    this.#writer.write(envelope);
    this.#flushSoon();
  }

  /** As {@link write}; `onFlushed` counts it when the bytes have left. */
  writeText(json: string, isCounted: boolean): void {
    this.#writer.writeText(json);
    if (isCounted) this.#counted += 1;
    this.#flushSoon();
  }

  /** Acknowledges a DELIVER, together with the others of this turn where the daemon reads that. */
  acknowledge(ackId: string, seq: number): void {
    if (!this.#readsBatches) this.write(createEnvelope("ACK", { ack_id: ackId, seq }));
    else if (this.#ack === undefined) this.#ack = { ack_id: ackId, seq, also: [] };
    else this.#ack.also.push(ackId);
    if (this.#ack?.also.length === LIMITS.relayBatchIds - 1) this.#writeAck();
    this.#flushSoon();
  }

  /** Hands over what was written, now. */
  flush(): void {
    this.#writeAck();
    if (this.#hasEnded || this.#writer.pendingFrames === 0) return;
    const writer = this.#writer;
    const chunk = writer.take();
    const counted = this.#counted;
    this.#counted = 0;
    this.#link.send(chunk, () => {
      writer.release(chunk);
      this.#events.onFlushed(counted);
    });
  }

  /** BYE behind what was written, then the end. */
  sayBye(): void {
    this.#writeAck();
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

  #writeAck(): void {
    const ack = this.#ack;
    this.#ack = undefined;
    if (ack === undefined) return;
    const { also, ...one } = ack;
    this.#writer.write(createEnvelope("ACK", also.length === 0 ? one : ack));
  }

  #flushSoon(): void {
    if (this.#writer.pendingBytes >= LIMITS.relaySlabBytes) this.flush();
    if (this.#flushIsDue || (this.#writer.pendingFrames === 0 && this.#ack === undefined)) return;
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
