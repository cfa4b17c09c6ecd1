import { type Envelope, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import type { Store } from "../../storage/index.js";
import type { Mailbox } from "./mailbox.js";

/** Bytes read from the store at a time. */
const PAGE_BYTES = 256 * 1024;

/**
 * Brings a mailbox up to its newest entry: its state is stored a little later than its entries, and a daemon may be killed
 * in between. False when there was nothing to do. Rejects when the store fails.
 */
export async function recoverMailbox(store: Pick<Store, "readMailbox">, mailbox: Mailbox): Promise<boolean> {
  const { lastPosition } = mailbox;
  for (;;) {
    const segments = await store.readMailbox(mailbox.address, mailbox.lastPosition + 1, PAGE_BYTES);
    if (segments.length === 0) return mailbox.lastPosition > lastPosition;
    for (const { firstPosition, entries } of segments) {
      mailbox.recover(entries.slice(Math.max(0, mailbox.lastPosition + 1 - firstPosition)).map(placeOf));
    }
  }
}

/** Where an entry stands in its stream. Our own writing; a damaged one stands nowhere, and is never delivered wrongly. */
function placeOf(text: string): { stream: string; seq: number; chars: number } {
  const envelope = JSON.parse(text) as Envelope;
  if (!isEnvelopeOf(envelope, "DELIVER")) return { stream: "", seq: 0, chars: text.length };
  return { stream: streamOf(envelope.from, envelope.topic), seq: envelope.delivery.seq, chars: text.length };
}

/** The stream in which messages of one sender and topic are numbered (docs/wire/relay.md#stream-numbers). */
export function streamOf(from: string, topic: string | undefined): string {
  return `${topic ?? "default"}:${from}`;
}
