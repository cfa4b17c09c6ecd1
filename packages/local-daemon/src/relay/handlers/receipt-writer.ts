import { LIMITS } from "@daemon-sdk/protocol";
import { createEnvelope, type ReceiptPayload, type ReceiptState } from "@daemon-sdk/protocol/relay";
import type { RelayPeer } from "../names/index.js";

interface OpenReceipt extends ReceiptPayload {
  readonly peer: RelayPeer;
  readonly also: string[];
}

/**
 * Writes RECEIPTs. A peer that reads batches gets one for consecutive messages of the same outcome: a transaction settles
 * hundreds of messages, most of them from one sender to one recipient.
 */
export class ReceiptWriter {
  #open: OpenReceipt | undefined;

  /** Writes the outcome of a SEND to its sender, in this turn of the event loop, behind what was written before. */
  write(peer: RelayPeer, refId: string, state: ReceiptState, to: string): void {
    if (!peer.readsBatches) {
      peer.send(createEnvelope("RECEIPT", { ref_id: refId, state, to }));
      return;
    }
    const open = this.#open;
    if (open?.peer === peer && open.state === state && open.to === to && open.also.length < LIMITS.relayBatchIds - 1) {
      open.also.push(refId);
      return;
    }
    if (open === undefined) queueMicrotask(() => this.#flush());
    else this.#send(open);
    this.#open = { peer, ref_id: refId, also: [], state, to };
  }

  #flush(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#send(open);
  }

  #send({ peer, also, ...receipt }: OpenReceipt): void {
    peer.send(createEnvelope("RECEIPT", also.length === 0 ? receipt : { ...receipt, also }));
  }
}
