import {
  type EnvelopeMeta,
  FACTORY_API_VERSION,
  FACTORY_PROTOCOL_VERSION,
  JSONRPC_VERSION,
  type SessionId,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";

/** The beginning of every frame. */
const FRAME_HEAD = `{"jsonrpc":"${JSONRPC_VERSION}","factoryApiVersion":"${FACTORY_API_VERSION}","type":`;
const VERSION = `"factoryProtocolVersion":"${FACTORY_PROTOCOL_VERSION}"`;
/** The beginning of a request of a journal. */
const REQUEST_HEAD = `${FRAME_HEAD}"request"`;
/** What precedes the id of a request. Not to be found earlier: before it stand versions only. */
const REQUEST_ID = ',"id":"';

/** Where the notification stands in its frame. Not to be found earlier: inside a JSON string its quotes are escaped. */
const BODY = '"notification":{';
const FREE_TYPES = ["permission_resolved", "ask_user_resolved", "agent_turn_completed", "session_closed"];
/** Notices of the daemon, which sends few. An agent may send any number of its own. */
const NOTICE_HEAD = '"type":"session_notice","code":';
const AGENT_NOTICE_HEAD = `${NOTICE_HEAD}"AGENT_NOTICE"`;
/** Nearly every entry is one of these. */
const DELTA_HEAD = '"type":"assistant_text_delta"';
const FREE_HEADS = [...FREE_TYPES.map((type) => `"type":"${type}"`), NOTICE_HEAD];

const NOTIFICATION = `${FRAME_HEAD}"notification",${VERSION},"method":"daemon.session_notification`;
const NOTIFICATION_HEAD = `${NOTIFICATION}","params":{"sessionId":`;
const BATCH_HEAD = `${NOTIFICATION}s","params":{"sessionId":`;

/** Text of every notification of one session up to the notification itself; made once, because most of a frame is this. */
export function notificationHead(sessionId: SessionId): string {
  return `${NOTIFICATION_HEAD}${JSON.stringify(sessionId)},"notification":`;
}

/** Text of a batch of one session up to its first notification. */
export function batchHead(sessionId: SessionId): string {
  return `${BATCH_HEAD}${JSON.stringify(sessionId)},"notifications":[`;
}

/** A notification as its entry holds it: for {@link isFreeEntry}, `type` comes first where credit may not count, then `code`. */
export function notificationText(notification: SessionNotification): string {
  const { type, code } = notification;
  if (type === "session_notice") return JSON.stringify(Object.assign({ type, code }, notification));
  return JSON.stringify(FREE_TYPES.includes(type) ? Object.assign({ type }, notification) : notification);
}

/** Text of a request without its position. `params` is JSON; `id` holds nothing that JSON escapes. */
export function requestText(id: string, method: string, params: string): string {
  return `${REQUEST_HEAD},${VERSION}${REQUEST_ID}${id}","method":"daemon.${method}","params":${params}`;
}

/** The beginning of every `_meta` of a journal. */
export const META_HEAD = ',"_meta":{"epoch":';

/** Text of every `_meta` of one start of the daemon up to the number of the entry; {@link foreignMeta} and two brackets follow it. */
export function metaHead(epoch: number): string {
  return `${META_HEAD}${epoch},"seq":`;
}

/** Whether an entry is a whole frame, and not the JSON of a notification alone. */
export function isFrame(entry: string): boolean {
  return entry.startsWith(FRAME_HEAD);
}

/** Whether an entry asks for an answer. Looks at its beginning only. */
export function isRequestFrame(entry: string): boolean {
  return entry.startsWith(REQUEST_HEAD);
}

/** The id of a request, from its frame. */
export function requestIdOf(frame: string): string {
  const at = frame.indexOf(REQUEST_ID, REQUEST_HEAD.length) + REQUEST_ID.length;
  return frame.slice(at, frame.indexOf('"', at));
}

/**
 * Whether credit does not count for an entry: requests, the ends of requests, turns and sessions, and notices of the daemon
 * (docs/protocol.md §9).
 */
export function isFreeEntry(entry: string): boolean {
  if (!isFrame(entry)) return isFreeBody(entry, 0);
  return isRequestFrame(entry) || isFreeBody(entry, entry.indexOf(BODY) + BODY.length - 1);
}

/** As {@link isFreeEntry}, of a notification whose text begins at `start`. */
function isFreeBody(text: string, start: number): boolean {
  const at = start + 1;
  if (text.startsWith(DELTA_HEAD, at)) return false;
  return FREE_HEADS.some((head) => text.startsWith(head, at)) && !text.startsWith(AGENT_NOTICE_HEAD, at);
}

/** A frame as it is sent ahead of its position. */
export function earlyCopy(frame: string): string {
  return withMark(frame, "early");
}

/** As {@link isFreeEntry}, from the notification of an entry. True for each that is free there, and for no event of a stream. */
export function mayBeFree({ type, code }: SessionNotification): boolean {
  return FREE_TYPES.includes(type) || (type === "session_notice" && code !== "AGENT_NOTICE");
}

/** A request that was resolved before it could be sent. It fills its position only: no client asks for an answer. */
export function resolvedCopy(frame: string): string {
  return withMark(frame, "resolved");
}

/** The notification of an entry that is no request. */
export function notificationOf(entry: string): SessionNotification {
  if (!isFrame(entry)) return JSON.parse(entry) as SessionNotification;
  return (JSON.parse(entry) as { params: { notification: SessionNotification } }).params.notification;
}

/** JSON of the notification of an entry; of a request that which a page of entries contains for it. */
export function notificationTextOf(entry: string): string {
  if (!isFrame(entry)) return entry;
  return JSON.stringify(isRequestFrame(entry) ? requestNotificationOf(entry) : notificationOf(entry));
}

function requestNotificationOf(frame: string): SessionNotification {
  const { id, method, params } = JSON.parse(frame) as { id: string; method: string; params: Record<string, unknown> };
  return { type: "request_opened", requestId: id, method: method.replace(/^daemon\./, ""), params };
}

/** `_meta` is the last key of a frame, and is never empty (see {@link metaHead}). */
function withMark(frame: string, mark: "early" | "resolved"): string {
  return `${frame.slice(0, -2)},"${mark}":true}}`;
}

/** Keys of `_meta` that are ours: an agent cannot forge a position, nor what became of an entry. */
const OURS: ReadonlySet<string> = new Set(["epoch", "seq", "early", "resolved"]);

/** What else the agent's frame carried in `_meta`, ready to be appended; without what is too long for a trace context. */
export function foreignMeta(meta: EnvelopeMeta | undefined): string {
  let text = "";
  if (meta === undefined) return text;
  for (const [name, value] of Object.entries(meta)) {
    if (OURS.has(name)) continue;
    const json: string | undefined = JSON.stringify(value);
    if (json !== undefined && text.length + json.length <= JOURNAL_LIMITS.traceChars)
      text += `,${JSON.stringify(name)}:${json}`;
  }
  return text;
}
