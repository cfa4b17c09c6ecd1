import {
  createEnvelope,
  type InboxMessage,
  type InboxPayload,
  type MessagesQueryPayload,
  PROTOCOL_VERSION,
  type StoredMessage,
} from "@daemon-sdk/protocol/relay";
import { MESSAGING_LIMITS } from "../../limits/index.js";
import type { HistoryEntry, HistoryQuery, HistoryReader } from "../mailboxes/index.js";
import { addressFor, channelOf as channelOfAddress, type RelayPeer } from "../names/index.js";
import type { HandlerGroup } from "../router.js";
import { FairTurns } from "./fair-turns.js";
import { fittingPage, type Shortenable } from "./fitting-page.js";
import type { RelayParts } from "./relay-parts.js";

/** The parts that {@link messageQueryHandlers} needs. */
export type MessageQueryParts = Pick<RelayParts, "mailboxes" | "channels" | "committer" | "limits" | "now" | "logger">;

/** Room in a frame for the envelope around the messages, without the query's id. */
const FRAME_RESERVE_BYTES = 256;

/**
 * INBOX and MESSAGES_QUERY (docs/wire/relay.md#queries). The answer carries the id of the query, and fits into a frame:
 * messages that do not are left out from the end, and `hasMore: true` says so. Ask on with `order: "asc"` and
 * `sinceTs`.
 *
 * A peer reads what it sent and received, and the channels of which it is a member; everything, when it acts for the person.
 */
export function messageQueryHandlers(parts: MessageQueryParts): HandlerGroup {
  const turns = new FairTurns<RelayPeer>({
    running: MESSAGING_LIMITS.runningQueries,
    waiting: MESSAGING_LIMITS.waitingQueries,
  });
  const answer = answering(parts, turns);
  return {
    handlers: {
      INBOX: (peer, { id, payload }) => {
        if (payload.agent === undefined || payload.agent === peer.name || peer.actsForPerson) {
          answer(peer, id, INBOX, inboxQuery(peer, payload), inboxMessage);
        } else peer.refuse("UNAUTHORIZED", NOT_YOURS, { refId: id });
      },
      MESSAGES_QUERY: (peer, { id, payload }) => answer(peer, id, MESSAGES, messagesQuery(payload), storedMessage),
      RESEND: (peer, { id, payload }) => {
        const ids = payload.ids.slice(0, MESSAGING_LIMITS.queryMessages);
        const task = () => resend(peer, id, ids, parts);
        if (!turns.run(peer, task)) peer.busy(MESSAGING_LIMITS.blockingRetryMs, MESSAGING_LIMITS.waitingQueries, id);
      },
    },
    onLeft: (peer) => turns.forget(peer),
  };
}

const NOT_YOURS =
  "Another's inbox is for programs that have proven to act for the person: connect with a ticket of the person.";

/** The answer's type, and the text of the ERROR when there is none. */
interface QueryKind {
  readonly response: "INBOX_RESPONSE" | "MESSAGES_RESPONSE";
  readonly failure: string;
}

const INBOX: QueryKind = { response: "INBOX_RESPONSE", failure: "Failed to get inbox" };
const MESSAGES: QueryKind = { response: "MESSAGES_RESPONSE", failure: "Failed to get messages" };

function answering(parts: MessageQueryParts, turns: FairTurns<RelayPeer>) {
  const { mailboxes, committer, limits, now, logger } = parts;
  return <Item extends Shortenable>(
    peer: RelayPeer,
    id: string,
    { response, failure }: QueryKind,
    query: HistoryQuery,
    itemOf: (entry: HistoryEntry) => Item,
  ): void => {
    const bounded = { ...query, maxUnits: limits.relayFrameBytes, reader: readerOf(peer, parts) };
    const task = () =>
      // A peer that sends and then queries finds what it sent: the query waits for the transaction that stores it.
      committer
        .commit([])
        .then(() => mailboxes.history(bounded))
        .then(
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
    if (!turns.run(peer, task)) {
      peer.busy(MESSAGING_LIMITS.blockingRetryMs, MESSAGING_LIMITS.waitingQueries, id);
    }
  };
}

async function resend(peer: RelayPeer, id: string, wanted: readonly string[], parts: MessageQueryParts): Promise<void> {
  const { mailboxes, logger } = parts;
  try {
    const ids = await mailboxes.resend(wanted, readerOf(peer, parts));
    peer.send(createEnvelope("RESEND_RESPONSE", { ids }, { id }));
  } catch (error) {
    const message = `Failed to send messages again: ${error instanceof Error ? error.message : String(error)}`;
    logger.error({ agent: peer.name, refId: id }, message);
    peer.refuse("INTERNAL", message, { refId: id });
  }
}

function readerOf(peer: RelayPeer, { channels }: MessageQueryParts): HistoryReader | undefined {
  if (peer.actsForPerson) return undefined;
  const { name, entityType, ownedSince } = peer;
  const own = addressFor(name, entityType);
  return {
    mayRead: ({ from, ts }, address) => {
      const channel = channelOfAddress(address);
      if (channel !== undefined) return channels.isMember(channel, name);
      // What is older belongs to an earlier owner of the name.
      return address === own || from === name ? ts >= ownedSince : false;
    },
  };
}

function inboxQuery(peer: RelayPeer, payload: InboxPayload): HistoryQuery {
  const { agent = peer.name, channel, from, unreadOnly, limit } = payload;
  return { to: channel ?? agent, from, unreadOnly, limit: boundedLimit(limit, MESSAGING_LIMITS.inboxMessages) };
}

function messagesQuery({ limit, sinceTs, from, to, thread, order, status }: MessagesQueryPayload): HistoryQuery {
  const direction = order === "asc" ? "asc" : "desc";
  const most = boundedLimit(limit, MESSAGING_LIMITS.queriedMessages);
  return { limit: most, sinceTs, from, to, thread, order: direction, failedOnly: status === "failed" };
}

/** A limit as it was asked for, within what one answer could hold. */
function boundedLimit(limit: number | undefined, usual: number): number {
  if (limit === undefined || !(limit >= 1)) return usual;
  return Math.min(Math.floor(limit), MESSAGING_LIMITS.queryMessages);
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
