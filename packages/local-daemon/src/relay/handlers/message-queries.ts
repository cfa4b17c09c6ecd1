import { LIMITS } from "@daemon-sdk/protocol";
import {
  type InboxMessage,
  type InboxPayload,
  type MessagesQueryPayload,
  PROTOCOL_VERSION,
  type StoredMessage,
} from "@daemon-sdk/protocol/relay";
import type { HistoryEntry, HistoryQuery } from "../mailboxes/index.js";
import type { RelayPeer } from "../names/index.js";
import type { RelayHandlers, RelayServices } from "../relay-services.js";
import { fittingPage, type Shortenable } from "../wire/index.js";

/** What queries for messages need of the relay. */
export type MessageQueryServices = Pick<RelayServices, "mailboxes" | "committer" | "limits" | "now" | "logger">;

/** Limits of the original (docs/wire/relay.md#queries). */
const INBOX_LIMIT = 50;
const MESSAGES_LIMIT = 100;

/** Room in a frame for everything around the messages: the envelope with the query's id comes on top. */
const FRAME_RESERVE_BYTES = 256;

/**
 * INBOX and MESSAGES_QUERY (docs/wire/relay.md#queries). The answer carries the id of the query, and fits into a frame:
 * messages that do not are left out from the end, and `hasMore: true` says so. Ask on with `order: "asc"` and
 * `sinceTs`.
 */
export function messageQueryHandlers(services: MessageQueryServices): RelayHandlers {
  const answer = answering(services);
  return {
    INBOX: (peer, { id, payload }) => answer(peer, id, INBOX, inboxQuery(peer, payload), inboxMessage),
    MESSAGES_QUERY: (peer, { id, payload }) => answer(peer, id, MESSAGES, messagesQuery(payload), storedMessage),
  };
}

/** How one query is answered, and what is said when it cannot be. */
interface QueryKind {
  readonly response: "INBOX_RESPONSE" | "MESSAGES_RESPONSE";
  readonly failure: string;
}

const INBOX: QueryKind = { response: "INBOX_RESPONSE", failure: "Failed to get inbox" };
const MESSAGES: QueryKind = { response: "MESSAGES_RESPONSE", failure: "Failed to get messages" };

function answering({ mailboxes, committer, limits, now, logger }: MessageQueryServices) {
  return <Item extends Shortenable>(
    peer: RelayPeer,
    id: string,
    { response, failure }: QueryKind,
    query: HistoryQuery,
    itemOf: (entry: HistoryEntry) => Item,
  ): void => {
    // Whoever sends and then asks sees what it sent: that is stored in the next transaction, and this waits for it.
    const found = committer.commit([]).then(() => mailboxes.history(query));
    found.then(
      (entries) => {
        const room = limits.relayFrameBytes - FRAME_RESERVE_BYTES - Buffer.byteLength(JSON.stringify(id));
        const { items, hasMore } = fittingPage(entries.map(itemOf), room);
        const payload = { messages: [...items], ...(hasMore ? { hasMore } : {}) };
        peer.send({ v: PROTOCOL_VERSION, type: response, id, ts: now(), payload });
      },
      (error: unknown) => {
        const message = `${failure}: ${error instanceof Error ? error.message : String(error)}`;
        logger.error({ agent: peer.name, refId: id }, message);
        peer.refuse("INTERNAL", message, { refId: id });
      },
    );
  };
}

function inboxQuery(peer: RelayPeer, payload: InboxPayload): HistoryQuery {
  const { agent = peer.name, channel, from, unreadOnly, limit } = payload;
  return { to: channel ?? agent, from, unreadOnly, limit: boundedLimit(limit, INBOX_LIMIT) };
}

function messagesQuery({ limit, sinceTs, from, to, thread, order }: MessagesQueryPayload): HistoryQuery {
  const direction = order === "asc" ? "asc" : "desc";
  return { limit: boundedLimit(limit, MESSAGES_LIMIT), sinceTs, from, to, thread, order: direction };
}

/** A limit as it was asked for, within what one answer could hold. */
function boundedLimit(limit: number | undefined, usual: number): number {
  if (limit === undefined || !(limit >= 1)) return usual;
  return Math.min(Math.floor(limit), LIMITS.relayQueryMessages);
}

function inboxMessage({ id, from, payload, ts }: HistoryEntry): InboxMessage {
  return { id, from, body: payload.body, ...channelOf(payload.data), ...threadOf(payload.thread), timestamp: ts };
}

function storedMessage({ id, from, to, payload, ts, status, originalTo }: HistoryEntry): StoredMessage {
  const { body, data, thread } = payload;
  return {
    id,
    from,
    to,
    body,
    ...channelOf(data),
    ...threadOf(thread),
    timestamp: ts,
    status,
    isBroadcast: originalTo === "*" || data?._isChannelMessage === true,
    replyCount: 0,
    ...(data === undefined ? {} : { data }),
  };
}

function channelOf(data: Record<string, unknown> | undefined): { channel?: string } {
  const channel = data?._channel ?? data?.channel;
  return typeof channel === "string" ? { channel } : {};
}

function threadOf(thread: string | undefined): { thread?: string } {
  return thread === undefined ? {} : { thread };
}
