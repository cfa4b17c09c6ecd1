import { FACTORY_API_VERSION, JSONRPC_VERSION, type SessionNotification } from "@daemon-sdk/protocol";

/** How every frame of a journal begins. */
export const FRAME_HEAD = `{"jsonrpc":"${JSONRPC_VERSION}","factoryApiVersion":"${FACTORY_API_VERSION}","type":`;
/** How a request of a journal begins. */
export const REQUEST_HEAD = `${FRAME_HEAD}"request"`;

/** Where the notification stands in its frame. Not to be found earlier: inside a JSON string its quotes are escaped. */
const BODY = '"notification":{';
const FREE_TYPES = ["permission_resolved", "ask_user_resolved", "agent_turn_completed", "session_closed"];
const FREE_HEADS = FREE_TYPES.map((type) => `"type":"${type}"`);

/** Whether a journal frame asks for an answer. Looks at its beginning only. */
export function isRequestFrame(frame: string): boolean {
  return frame.startsWith(REQUEST_HEAD);
}

/** Whether credit does not count for a frame: requests, and the ends of requests, turns and sessions (docs/protocol.md §9). */
export function isFreeFrame(frame: string): boolean {
  if (isRequestFrame(frame)) return true;
  const at = frame.indexOf(BODY) + BODY.length;
  return FREE_HEADS.some((head) => frame.startsWith(head, at));
}

/** A notification as its frame holds it: for {@link isFreeFrame}, `type` comes first where it matters. */
export function notificationText(notification: SessionNotification): string {
  const { type } = notification;
  return JSON.stringify(FREE_TYPES.includes(type) ? Object.assign({ type }, notification) : notification);
}

/** A frame as it is sent ahead of its place. */
export function earlyCopy(frame: string): string {
  return withMark(frame, "early");
}

/** A request that was resolved before it could be sent: for the order only, nobody is to be asked. */
export function resolvedCopy(frame: string): string {
  return withMark(frame, "resolved");
}

/** Position and request id of a frame, as far as it has them. */
export function readFrame(frame: string): { id?: string; _meta: { epoch: number; seq: number } } {
  return JSON.parse(frame) as { id?: string; _meta: { epoch: number; seq: number } };
}

/** `_meta` is the last key of a frame, and is never empty (see {@link Journal}). */
function withMark(frame: string, mark: "early" | "resolved"): string {
  return `${frame.slice(0, -2)},"${mark}":true}}`;
}
