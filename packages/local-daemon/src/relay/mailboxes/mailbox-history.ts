import { type Envelope, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import { MAILBOX_LIMITS } from "../../limits/index.js";
import type { Store, StoredSegment } from "../../storage/index.js";
import type { Backlog } from "./backlog.js";
import type { HistoryEntry, HistoryQuery } from "./mailboxes.js";

/**
 * Reads stored messages, newest or oldest first.
 *
 * @param address of the only mailbox to read; undefined: all of them
 * @param backlogOf the backlog of a mailbox, which knows what was acknowledged
 */
export async function readHistory(
  store: Pick<Store, "mailboxSegments">,
  query: HistoryQuery,
  address: string | undefined,
  backlogOf: (address: string) => Backlog | undefined,
): Promise<HistoryEntry[]> {
  const order = query.order ?? "desc";
  const found: HistoryEntry[] = [];
  let beyond: number | undefined;
  while (found.length < query.limit) {
    const segments = await store.mailboxSegments({ address, order, beyond, limit: MAILBOX_LIMITS.querySegments });
    for (const segment of segments) {
      const entries = entriesOf(segment, backlogOf(segment.address)).filter((entry) => isWanted(entry, query));
      found.push(...(order === "desc" ? entries.reverse() : entries));
    }
    beyond = segments.at(-1)?.no;
    if (segments.length < MAILBOX_LIMITS.querySegments) break;
  }
  return found.slice(0, Math.max(0, query.limit));
}

function entriesOf(segment: StoredSegment, backlog: Backlog | undefined): HistoryEntry[] {
  return segment.entries.flatMap((text, index) => {
    // The daemon wrote this text. One that is no DELIVER is damaged, and costs this entry only.
    const envelope = JSON.parse(text) as Envelope;
    if (!isEnvelopeOf(envelope, "DELIVER")) return [];
    const { id, from, to, ts, topic, payload, delivery } = envelope;
    const status = statusOf(backlog, segment.firstPosition + index);
    return [{ id, from, to: to ?? "", ts, topic, payload, originalTo: delivery.originalTo, status }];
  });
}

function statusOf(backlog: Backlog | undefined, position: number): HistoryEntry["status"] {
  if (backlog === undefined || backlog.isAcked(position)) return "acked";
  return position <= backlog.waiting.highest ? "read" : "unread";
}

function isWanted(entry: HistoryEntry, { sinceTs, from, thread, unreadOnly }: HistoryQuery): boolean {
  if (sinceTs !== undefined && entry.ts < sinceTs) return false;
  if (from !== undefined && entry.from !== from) return false;
  if (thread !== undefined && entry.payload.thread !== thread) return false;
  return unreadOnly !== true || entry.status !== "acked";
}
