import { type AckPayload, createEnvelope, ErrorCode } from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "./names/index.js";

/** Longest time a timer takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** A SEND whose author waits for an ACK (docs/wire/relay.md#blocking-sends). */
export interface BlockingSend {
  readonly correlationId: string;
  readonly sender: RelayPeer;
  /** Id of the SEND. */
  readonly refId: string;
  /** Who may answer. */
  readonly addressees: readonly string[];
  readonly timeoutMs: number;
}

interface Pending extends BlockingSend {
  readonly timer: NodeJS.Timeout;
}

/** The SENDs that wait for an ACK with their correlation id. Only an addressee answers; the first answer counts. */
export class BlockingSends {
  readonly #pending = new Map<string, Pending>();

  get size(): number {
    return this.#pending.size;
  }

  has(correlationId: string): boolean {
    return this.#pending.has(correlationId);
  }

  /** Waits for the answer; its time-out is told to the sender. The id must not be waited for already. */
  open(send: BlockingSend): void {
    const timeoutMs = Math.min(Math.max(send.timeoutMs, 0), LONGEST_MS);
    const timer = setTimeout(() => this.#expired(send), timeoutMs).unref();
    this.#pending.set(send.correlationId, { ...send, timer });
  }

  /** Nobody waits any more. */
  cancel(correlationId: string): void {
    clearTimeout(this.#pending.get(correlationId)?.timer);
    this.#pending.delete(correlationId);
  }

  /** Passes an ACK on to who waits for it; one from somebody else changes nothing. */
  answer(from: RelayPeer, payload: AckPayload): void {
    const { correlationId } = payload;
    const pending = correlationId === undefined ? undefined : this.#pending.get(correlationId);
    if (pending === undefined || !pending.addressees.includes(from.name)) return;
    this.cancel(pending.correlationId);
    pending.sender.send(createEnvelope("ACK", payload, { from: from.name, to: pending.sender.name }));
  }

  /** The sender's connection is gone. */
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
