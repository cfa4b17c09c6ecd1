import { newId } from "@daemon-sdk/protocol";
import { createEnvelope, type RelayEnvelope, type SendPayload } from "@daemon-sdk/protocol/relay";

/** A message of a {@link MemoryMailbox}. */
export interface MemoryMessage extends Pick<RelayEnvelope<"SEND">, "payload" | "payload_meta" | "topic"> {
  readonly from: string;
  /** The sender's address, if it was not this mailbox. */
  readonly originalTo?: string;
}

/** Unacknowledged messages of one name, in order. A redelivery keeps id and number. */
export class MemoryMailbox {
  readonly name: string;
  readonly sessionId = newId();
  readonly resumeToken = newId();
  readonly #waiting = new Map<string, RelayEnvelope<"DELIVER">>();
  readonly #counts = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  /** The unacknowledged messages, oldest first. */
  get waiting(): readonly RelayEnvelope<"DELIVER">[] {
    return [...this.#waiting.values()];
  }

  add({ from, payload, payload_meta, topic, originalTo }: MemoryMessage): RelayEnvelope<"DELIVER"> {
    const stream = JSON.stringify([topic, from]);
    const seq = (this.#counts.get(stream) ?? 0) + 1;
    this.#counts.set(stream, seq);
    const delivery = {
      seq,
      session_id: this.sessionId,
      ...(originalTo === undefined ? {} : { originalTo }),
    };
    const envelope = {
      ...createEnvelope("DELIVER", payload as SendPayload, {
        from,
        to: this.name,
        ...(topic === undefined ? {} : { topic }),
        ...(payload_meta === undefined ? {} : { payload_meta }),
        delivery,
      }),
      from,
      delivery,
    } as RelayEnvelope<"DELIVER">;
    this.#waiting.set(envelope.id, envelope);
    return envelope;
  }

  /** The id of the message whose sender waits for an ACK with that correlation id. */
  idOfAwaited(correlationId: string | undefined): string | undefined {
    if (correlationId === undefined) return undefined;
    return this.waiting.find(({ payload_meta: meta }) => meta?.sync?.correlationId === correlationId)?.id;
  }

  /** Removes and returns the message of that id. */
  acknowledge(id: string): RelayEnvelope<"DELIVER"> | undefined {
    const envelope = this.#waiting.get(id);
    this.#waiting.delete(id);
    return envelope;
  }
}
