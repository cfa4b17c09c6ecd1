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

/** Callbacks of a {@link RelayLink}. */
export interface RelayLinkEvents {
  onEnvelope(envelope: Envelope): void;
  /** The next `count` of the counted texts have left this process. */
  onFlushed(count: number): void;
  /** The link has ended; called once. Without an error when the daemon closed it in order. */
  onEnded(error: Error | undefined): void;
}

/** A link of envelopes: frames both ways, one write per turn, PONG for PING, and a time-out for silence. */
export class RelayLink {
  readonly #link: ByteLink;
  readonly #platform: RelayPlatform;
  readonly #events: RelayLinkEvents;
  readonly #parser: FrameParser;
  #writer = new FrameWriter();
  #flushIsDue = false;
  /** Counted texts written in this turn. */
  #counted = 0;
  #readsBatches = false;
  /** The acknowledgements of this turn, for a daemon that reads batches. */
  #ack: (AckPayload & { also: string[] }) | undefined;
  /** Periods without a byte. They are counted, not timed: a process that was suspended could not receive. */
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
   * Called with WELCOME: bounds frames to what the daemon accepts, and ends the link when the daemon is silent for too long
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

  /** As {@link write}. With `isCounted`, `onFlushed` counts the text once its bytes have left. */
  writeText(json: string, isCounted: boolean): void {
    this.#writer.writeText(json);
    if (isCounted) this.#counted += 1;
    this.#flushSoon();
  }

  /** Acknowledges a DELIVER; where the daemon reads batches, together with the others of this turn. */
  acknowledge(ackId: string, seq: number): void {
    if (!this.#readsBatches) this.write(createEnvelope("ACK", { ack_id: ackId, seq }));
    else if (this.#ack === undefined) this.#ack = { ack_id: ackId, seq, also: [] };
    else this.#ack.also.push(ackId);
    if (this.#ack?.also.length === LIMITS.relayBatchIds - 1) this.#writeAck();
    this.#flushSoon();
  }

  /** Sends what was written, now. */
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

  /** Writes BYE and ends. */
  sendBye(): void {
    this.#writeAck();
    this.write(createEnvelope("BYE", {}));
    this.end();
  }

  /** Closes the link in order, after what was written. Waits `LIMITS.closeGraceMs` for the daemon to end as well. */
  end(): void {
    this.flush();
    this.#link.end();
    this.#closing ??= setTimeout(() => this.#waitNoLonger(), LIMITS.closeGraceMs);
  }

  /** Ends now; `onEnded` gets `reason`. */
  destroy(reason?: Error): void {
    this.#fault ??= reason;
    this.#parser.stop();
    this.#link.destroy();
  }

  /** Calls `onEnded`. A daemon that still reads gets what was written. */
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
