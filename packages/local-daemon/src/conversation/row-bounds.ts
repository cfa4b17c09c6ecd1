import { type SessionNotification, TEXT_LIMITS } from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import type { SessionRow } from "../storage/index.js";

/** What an agent may change of a session's row. */
export type ReportedPatch = Partial<Pick<SessionRow, "title" | "settings" | "tokenUsage" | "cwd" | "updatedAt">>;

/**
 * What a session's row keeps of an agent's report: lists and snapshots repeat the row, so it is bounded as what a client sends.
 * A title is cut; a directory, settings and usage that are too long are not kept.
 */
export function boundedPatch({ title, cwd, settings, tokenUsage, ...rest }: ReportedPatch): ReportedPatch {
  return {
    ...rest,
    ...(title === undefined ? {} : { title: title.slice(0, TEXT_LIMITS.titleChars) }),
    ...(cwd === undefined || cwd.length > TEXT_LIMITS.pathChars ? {} : { cwd }),
    ...(settings === undefined || !isReportable(settings) ? {} : { settings }),
    ...(tokenUsage === undefined || !isReportable(tokenUsage) ? {} : { tokenUsage }),
  };
}

/** A title of an agent as an entry holds it: lists show its beginning alone. */
export function boundedTitle(notification: SessionNotification): SessionNotification {
  const { title } = notification;
  if (typeof title !== "string" || title.length <= TEXT_LIMITS.titleChars) return notification;
  return { ...notification, title: title.slice(0, TEXT_LIMITS.titleChars) };
}

/** Whether answers may repeat what an agent reported. */
export function isReportable(value: unknown): boolean {
  return (JSON.stringify(value)?.length ?? 0) <= SERVING_LIMITS.reportedJsonChars;
}
