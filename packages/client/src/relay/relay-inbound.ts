import { DaemonError, type Logger, ProtocolError } from "@daemon-sdk/protocol";
import {
  type BusyPayload,
  type Envelope,
  type ErrorPayload,
  isEnvelopeOf,
  type RelayEnvelope,
} from "@daemon-sdk/protocol/relay";
import { errorOf } from "./connection/index.js";
import type { Presence } from "./presence.js";
import {
  correlationOf,
  type MessageFeed,
  messageOfChannel,
  messageOfDeliver,
  type RelayMessage,
} from "./receiving/index.js";
import type { Outbox, PendingReplies } from "./sending/index.js";

/** The receivers of envelopes. */
export interface RelayInboundOptions {
  readonly feed: MessageFeed;
  readonly outbox: Outbox;
  /** Calls that wait for an answer of the daemon, or for the ACK of a blocking send, by the id of the request. */
  readonly replies: PendingReplies;
  /** Calls that wait for a response of another agent, by the id of the request. */
  readonly responses: PendingReplies;
  readonly presence: Presence;
  readonly logger: Logger;
  acknowledge(message: RelayMessage): void;
  onError(error: DaemonError): void;
}

/**
 * Passes each envelope received to its receiver. An envelope without a receiver is logged and ignored
 * (docs/wire/relay.md#message-types).
 */
export class RelayInbound {
  readonly #options: RelayInboundOptions;
  #isFull = false;

  constructor(options: RelayInboundOptions) {
    this.#options = options;
  }

  receive(envelope: Envelope): void {
    if (isEnvelopeOf(envelope, "DELIVER")) this.#deliver(envelope);
    else if (isEnvelopeOf(envelope, "RECEIPT")) this.#options.outbox.onReceipt(envelope.payload);
    else if (isEnvelopeOf(envelope, "ACK")) this.#acknowledged(envelope);
    else if (isEnvelopeOf(envelope, "ERROR")) this.#refused(envelope.payload);
    else if (isEnvelopeOf(envelope, "BUSY")) this.#busy(envelope.payload);
    else if (isEnvelopeOf(envelope, "CHANNEL_MESSAGE")) this.#post(envelope);
    else this.#rest(envelope);
  }

  #deliver(envelope: RelayEnvelope<"DELIVER">): void {
    const { feed, responses, acknowledge } = this.#options;
    const message = messageOfDeliver(envelope);
    const correlation = message.route === "shadow" ? undefined : correlationOf(envelope);
    if (correlation !== undefined && responses.settle(correlation, message)) {
      feed.markHandled(message.id);
      acknowledge(message);
      return;
    }
    this.#offer(message);
  }

  #post(envelope: Envelope): void {
    const message = messageOfChannel(envelope);
    if (message === undefined) this.#ignore(envelope);
    else this.#offer(message);
  }

  #offer(message: RelayMessage): void {
    const hasRoom = this.#options.feed.offer(message);
    if (hasRoom === !this.#isFull) return;
    this.#isFull = !hasRoom;
    if (hasRoom) return;
    const text = "The queue of messages() is full, because its consumer lags. Later messages";
    this.#options.onError(
      new DaemonError("SLOW_CONSUMER", `${text} are redelivered, except those of channels, which are lost.`),
    );
  }

  #acknowledged(envelope: RelayEnvelope<"ACK">): void {
    const { correlationId } = envelope.payload;
    if (correlationId !== undefined && this.#options.replies.settle(correlationId, envelope.payload)) return;
    this.#ignore(envelope);
  }

  #refused(payload: ErrorPayload): void {
    const { outbox, replies, responses, onError } = this.#options;
    const { ref_id: refId } = payload;
    if (outbox.onError(payload)) return;
    const error = errorOf(payload);
    if (refId !== undefined && (replies.fail(refId, error) || responses.fail(refId, error))) return;
    // The original's ERROR names no request. Without this, each call to the spawn manager would time out.
    if (payload.message.startsWith("SpawnManager not enabled")) replies.failWorkerCalls(error);
    else onError(error);
  }

  #busy(payload: BusyPayload): void {
    if (this.#options.outbox.onBusy(payload)) return;
    const { retry_after_ms: retryAfterMs } = payload;
    const message = `The daemon is busy; send again after ${retryAfterMs} ms.`;
    this.#options.onError(new ProtocolError("QUEUE_FULL", message, { data: { retryAfterMs } }));
  }

  #rest(envelope: Envelope): void {
    const { replies, presence } = this.#options;
    const { replyTo } = envelope.payload;
    if (replies.settle(typeof replyTo === "string" ? replyTo : envelope.id, envelope)) return;
    if (!presence.receive(envelope)) this.#ignore(envelope);
  }

  #ignore({ type, id }: Envelope<unknown>): void {
    if (type !== "BYE") this.#options.logger.debug({ type, id }, "Ignored an envelope without a receiver");
  }
}
