import { type AckPayload, createEnvelope, ErrorCode } from "@daemon-sdk/protocol/relay";
import { SERVING_LIMITS } from "../../limits/index.js";
import type { RelayPeer } from "../names/index.js";

/** A SEND whose sender waits for an ACK (docs/wire/relay.md#blocking-sends). */
export interface BlockingSend {
  readonly correlationId: string;
  readonly sender: RelayPeer;
  /** Id of the SEND. */
  readonly refId: string;
  /** The names that may answer. */
  readonly addressees: readonly string[];
  readonly timeoutMs: number;
}

interface Pending extends BlockingSend {
  readonly timer: NodeJS.Timeout;
}

/** The SENDs that wait for an ACK with their correlation id. Only an addressee answers; the first answer counts. */
export class BlockingSends {
  readonly #pending = new Map<string, Pending>();
  readonly #maxFrameBytes: number;

  constructor({ maxFrameBytes }: { readonly maxFrameBytes: number }) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  get size(): number {
    return this.#pending.size;
  }

  has(correlationId: string): boolean {
    return this.#pending.has(correlationId);
  }

  /** Waits for the answer; after a time-out the sender receives an ERROR. No other SEND may wait under the same id. */
  open(send: BlockingSend): void {
    const timeoutMs = Math.min(Math.max(send.timeoutMs, 0), SERVING_LIMITS.timerMs);
    const timer = setTimeout(() => this.#expired(send), timeoutMs).unref();
    this.#pending.set(send.correlationId, { ...send, timer });
  }

  /** Ends one wait without an answer. */
  cancel(correlationId: string): void {
    clearTimeout(this.#pending.get(correlationId)?.timer);
    this.#pending.delete(correlationId);
  }

  /**
   * Forwards an ACK to the sender that waits for it. One from a peer that is no addressee has no effect. False when no sender of this
   * daemon waits for it.
   */
  answer(from: Pick<RelayPeer, "name" | "refuse">, payload: AckPayload): boolean {
    const { correlationId } = payload;
    const pending = correlationId === undefined ? undefined : this.#pending.get(correlationId);
    if (pending === undefined) return false;
    if (!pending.addressees.includes(from.name)) return true;
    const ack = createEnvelope("ACK", payload, { from: from.name, to: pending.sender.name });
    if (Buffer.byteLength(JSON.stringify(ack)) > this.#maxFrameBytes) {
      const refId = payload.ack_id ?? pending.correlationId;
      const text = `The answer to ${refId} with your name in it does not fit into a frame of ${this.#maxFrameBytes} bytes. Answer less.`;
      from.refuse(ErrorCode.BAD_REQUEST, text, { refId });
      return true;
    }
    this.cancel(pending.correlationId);
    pending.sender.send(ack);
    return true;
  }

  /** Ends every wait of a sender whose connection has ended. */
  forget(sender: RelayPeer): void {
    for (const [id, pending] of this.#pending) if (pending.sender === sender) this.cancel(id);
  }

  /** Ends every wait. */
  stop(): void {
    for (const id of [...this.#pending.keys()]) this.cancel(id);
  }

  #expired({ correlationId, sender, refId, timeoutMs }: BlockingSend): void {
    this.#pending.delete(correlationId);
    sender.refuse(ErrorCode.INTERNAL, `ACK timeout after ${timeoutMs}ms`, { refId });
  }
}
