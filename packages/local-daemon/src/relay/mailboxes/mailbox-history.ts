import { type Envelope, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import type { Store, StoredSegment } from "../../storage/index.js";
import type { Mailbox } from "./mailbox.js";
import type { HistoryEntry, HistoryQuery } from "./mailboxes.js";

/** Segments read from the store at a time. */
const PAGE_SEGMENTS = 32;

/**
 * Reads stored messages, newest or oldest first.
 *
 * @param address of the one mailbox to look into; undefined: all of them
 * @param mailboxOf finds the mailbox whose state tells what was acknowledged
 */
export async function readHistory(
  store: Pick<Store, "mailboxSegments">,
  query: HistoryQuery,
  address: string | undefined,
  mailboxOf: (address: string) => Mailbox | undefined,
): Promise<HistoryEntry[]> {
  const order = query.order ?? "desc";
  const found: HistoryEntry[] = [];
  let beyond: number | undefined;
  while (found.length < query.limit) {
    const segments = await store.mailboxSegments({ address, order, beyond, limit: PAGE_SEGMENTS });
    for (const segment of segments) {
      const entries = entriesOf(segment, mailboxOf(segment.address)).filter((entry) => isWanted(entry, query));
      found.push(...(order === "desc" ? entries.reverse() : entries));
    }
    beyond = segments.at(-1)?.no;
    if (segments.length < PAGE_SEGMENTS) break;
  }
  return found.slice(0, Math.max(0, query.limit));
}

function entriesOf(segment: StoredSegment, mailbox: Mailbox | undefined): HistoryEntry[] {
  return segment.entries.flatMap((text, index) => {
    // Our own writing; what is none any more is a damaged file, and costs this entry only.
    const envelope = JSON.parse(text) as Envelope;
    if (!isEnvelopeOf(envelope, "DELIVER")) return [];
    const { id, from, to, ts, topic, payload, delivery } = envelope;
    const status = statusOf(mailbox, segment.firstPosition + index);
    return [{ id, from, to: to ?? "", ts, topic, payload, originalTo: delivery.originalTo, status }];
  });
}

function statusOf(mailbox: Mailbox | undefined, position: number): HistoryEntry["status"] {
  if (mailbox === undefined || mailbox.isAcked(position)) return "acked";
  return position <= mailbox.waiting.highest ? "read" : "unread";
}

function isWanted(entry: HistoryEntry, { sinceTs, from, thread, unreadOnly }: HistoryQuery): boolean {
  if (sinceTs !== undefined && entry.ts < sinceTs) return false;
  if (from !== undefined && entry.from !== from) return false;
  if (thread !== undefined && entry.payload.thread !== thread) return false;
  return unreadOnly !== true || entry.status !== "acked";
}
