import {
  type EnvelopeMeta,
  FACTORY_API_VERSION,
  FACTORY_PROTOCOL_VERSION,
  JSONRPC_VERSION,
  type SessionId,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import { JOURNAL_LIMITS } from "../limits/index.js";

/** The beginning of every frame of a journal. */
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

/** Text of every notification of one session up to the notification itself; made once, because most of a frame is this. */
export function notificationHead(sessionId: SessionId): string {
  return `${FRAME_HEAD}"notification",${VERSION},"method":"daemon.session_notification","params":{"sessionId":${JSON.stringify(sessionId)},"notification":`;
}

/** Text of a batch of one session up to its first notification. */
export function batchHead(sessionId: SessionId): string {
  return `${FRAME_HEAD}"notification",${VERSION},"method":"daemon.session_notifications","params":{"sessionId":${JSON.stringify(sessionId)},"notifications":[`;
}

/** A notification as its frame holds it: for {@link isFreeFrame}, `type` comes first where credit may not count, then `code`. */
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

/** Whether a journal frame asks for an answer. Looks at its beginning only. */
export function isRequestFrame(frame: string): boolean {
  return frame.startsWith(REQUEST_HEAD);
}

/** The id of a request, from its frame. */
export function requestIdOf(frame: string): string {
  const at = frame.indexOf(REQUEST_ID, REQUEST_HEAD.length) + REQUEST_ID.length;
  return frame.slice(at, frame.indexOf('"', at));
}

/**
 * Whether credit does not count for a frame: requests, the ends of requests, turns and sessions, and notices of the daemon
 * (docs/protocol.md §9).
 */
export function isFreeFrame(frame: string): boolean {
  if (isRequestFrame(frame)) return true;
  return isFreeBody(frame, frame.indexOf(BODY) + BODY.length - 1);
}

/** As {@link isFreeFrame}, of a notification whose text begins at `start`. */
export function isFreeBody(frame: string, start: number): boolean {
  const at = start + 1;
  if (frame.startsWith(DELTA_HEAD, at)) return false;
  return FREE_HEADS.some((head) => frame.startsWith(head, at)) && !frame.startsWith(AGENT_NOTICE_HEAD, at);
}

/** A frame as it is sent ahead of its position. */
export function earlyCopy(frame: string): string {
  return withMark(frame, "early");
}

/** As {@link isFreeFrame}, from the notification of a frame. True for each that is free there, and for no event of a stream. */
export function mayBeFree({ type, code }: SessionNotification): boolean {
  return FREE_TYPES.includes(type) || (type === "session_notice" && code !== "AGENT_NOTICE");
}

/** A request that was resolved before it could be sent. It fills its position only: no client asks for an answer. */
export function resolvedCopy(frame: string): string {
  return withMark(frame, "resolved");
}

/** Epoch of the daemon that wrote a frame. */
export function epochOf(frame: string): number {
  return (JSON.parse(frame) as { _meta: { epoch: number } })._meta.epoch;
}

/** Epoch and notification of an entry, from its frame; a request has no notification. */
export function entryOf(frame: string): { readonly epoch: number; readonly notification: SessionNotification } {
  const { _meta, params } = JSON.parse(frame) as {
    _meta: { epoch: number };
    params: { notification: SessionNotification };
  };
  return { epoch: _meta.epoch, notification: params.notification };
}

/** A request of a journal as the notification that a page of entries contains for it. */
export function requestEntryOf(frame: string): { readonly epoch: number; readonly notification: SessionNotification } {
  const { _meta, id, method, params } = JSON.parse(frame) as {
    _meta: { epoch: number };
    id: string;
    method: string;
    params: Record<string, unknown>;
  };
  const notification = { type: "request_opened", requestId: id, method: method.replace(/^daemon\./, ""), params };
  return { epoch: _meta.epoch, notification };
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
