import { setImmediate as nextTurn } from "node:timers/promises";
import { bodyText, type Envelope, isEnvelopeOf } from "@daemon-sdk/protocol/relay";
import { MAILBOX_LIMITS } from "../../limits/index.js";
import type { Store, StoredSegment } from "../../storage/index.js";
import { machineOf } from "../names/index.js";
import type { HistoryEntry, HistoryQuery } from "./mailboxes.js";

/** Where {@link readHistory} reads. */
export interface HistorySource {
  readonly store: Pick<Store, "mailboxSegments">;
  /** The only mailbox to read; undefined: all of them. */
  readonly address: string | undefined;
  /** What became of the message at a position of a mailbox. */
  statusOf(address: string, position: number): HistoryEntry["status"];
}

/**
 * Reads stored messages, newest or oldest first, until there are enough of them. Reads in pages that are small enough to hold
 * up nobody, with a turn of the event loop between them.
 */
export async function readHistory(source: HistorySource, query: HistoryQuery): Promise<HistoryEntry[]> {
  const { store, address } = source;
  const order = query.order ?? "desc";
  const found: HistoryEntry[] = [];
  let room = query.maxUnits ?? Number.POSITIVE_INFINITY;
  let beyond: number | undefined;
  for (let limit = 1; found.length < query.limit && room > 0; ) {
    const startedAt = performance.now();
    const segments = await store.mailboxSegments({ address, order, beyond, limit });
    for (const segment of segments) {
      const entries = entriesOf(segment, source).filter((entry) => isWanted(entry, segment, query));
      for (const entry of order === "desc" ? entries.reverse() : entries) {
        if (room <= 0) break;
        room -= bodyText(entry.payload.body).length;
        found.push(entry);
      }
    }
    beyond = segments.at(-1)?.no;
    if (segments.length < limit) break;
    limit = nextLimit(limit, performance.now() - startedAt);
    await nextTurn();
  }
  return found.slice(0, Math.max(0, query.limit));
}

/** Segments of the next page: twice as many, or half as many when this one took long. */
function nextLimit(limit: number, tookMs: number): number {
  if (tookMs > MAILBOX_LIMITS.queryPageMs) return Math.max(1, limit >> 1);
  return Math.min(limit * 2, MAILBOX_LIMITS.querySegments);
}

function entriesOf(segment: StoredSegment, { statusOf }: HistorySource): HistoryEntry[] {
  return segment.entries.flatMap((text, index) => {
    // The daemon wrote this text. One that is no DELIVER is damaged, and costs this entry only.
    const envelope = JSON.parse(text) as Envelope;
    if (!isEnvelopeOf(envelope, "DELIVER")) return [];
    const { id, from, to = "", ts, topic, payload, payload_meta, delivery } = envelope;
    const position = segment.firstPosition + index;
    const status = statusOf(segment.address, position);
    return [{ id, from, to, ts, topic, payload, payload_meta, originalTo: delivery.originalTo, status, position }];
  });
}

function isWanted(entry: HistoryEntry, { address }: StoredSegment, query: HistoryQuery): boolean {
  const { sinceTs, from, to, thread, unreadOnly, failedOnly, ids, reader } = query;
  // The outbox for a machine holds the messages for all names there.
  if (to !== undefined && machineOf(address) !== undefined && entry.to !== to) return false;
  if (sinceTs !== undefined && entry.ts < sinceTs) return false;
  if (from !== undefined && entry.from !== from) return false;
  if (thread !== undefined && entry.payload.thread !== thread) return false;
  if (unreadOnly === true && entry.status !== "read" && entry.status !== "unread") return false;
  if (failedOnly === true && entry.status !== "failed") return false;
  if (ids !== undefined && !ids.has(entry.id)) return false;
  return reader === undefined || reader.mayRead(entry, address);
}
