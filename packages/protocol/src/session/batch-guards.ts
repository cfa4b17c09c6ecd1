import { isRecord } from "../base/index.js";
import type { SessionNotificationsParams } from "./notifications.js";

/** Params of `session_notifications`, whatever the types of its notifications. An empty batch is refused. */
export function isSessionNotificationsParams(value: unknown): value is SessionNotificationsParams {
  return (
    isRecord(value) &&
    typeof value.sessionId === "string" &&
    Array.isArray(value.notifications) &&
    value.notifications.length > 0 &&
    value.notifications.every((notification) => isRecord(notification) && typeof notification.type === "string")
  );
}
