import {
  isKnownNotification,
  type MessageBlock,
  type SessionMessage,
  type SessionNotification,
} from "@daemon-sdk/protocol";
import { SERVING_LIMITS } from "../limits/index.js";
import type { SessionRow, StoreWrite } from "../storage/index.js";
import { boundedPatch, type ReportedPatch } from "./row-bounds.js";

/** What a notification changes beside the journal. */
export interface ConversationChange {
  readonly write?: Extract<StoreWrite, { kind: "message" | "retractMessage" }>;
  readonly patch?: ReportedPatch;
}

const NOTHING: ConversationChange = {};

/**
 * What one notification means for the conversation and the session's row; the same rules a client follows, so that a
 * snapshot and the stream after it make one whole.
 *
 * A notification whose fields are not what its type promises changes nothing; it is passed on all the same.
 */
export function conversationChange(
  row: SessionRow,
  notification: SessionNotification,
  now: number,
): ConversationChange {
  switch (notification.type) {
    case "create_message":
    case "tool_result":
    case "assistant_message_retracted":
    case "session_title_updated":
    case "settings_updated":
    case "session_token_usage_changed":
    case "session_working_directory_changed":
      return bounded(isKnownNotification(notification) ? changeOf(row, notification, now) : NOTHING);
    default:
      return NOTHING;
  }
}

function bounded({ patch, ...change }: ConversationChange): ConversationChange {
  return patch === undefined ? change : { ...change, patch: boundedPatch(patch) };
}

function changeOf(
  row: SessionRow,
  notification: Extract<SessionNotification, { type: string }>,
  now: number,
): ConversationChange {
  if (!isKnownNotification(notification)) return NOTHING;
  const { id: sessionId } = row;
  switch (notification.type) {
    case "create_message":
      return { write: { kind: "message", sessionId, message: notification.message }, patch: { updatedAt: now } };
    case "tool_result":
      return { write: { kind: "message", sessionId, message: toolMessage(notification, now) } };
    case "assistant_message_retracted":
      return { write: { kind: "retractMessage", sessionId, messageId: notification.messageId } };
    case "session_title_updated":
      return { patch: { title: notification.title, updatedAt: now } };
    case "settings_updated":
      return { patch: { settings: { ...row.settings, ...notification.settings } } };
    case "session_token_usage_changed":
      return { patch: { tokenUsage: notification.tokenUsage } };
    case "session_working_directory_changed":
      return { patch: { cwd: notification.cwd } };
    default:
      return NOTHING;
  }
}

/**
 * A tool's result as a message. Its id has both parts because either may repeat: agents give several results of one
 * message, and an interrupted permission gives two results for one call
 * (docs/wire/agent-stdio.md#turn-end).
 */
function toolMessage(
  notification: { messageId: string; toolUseId: string; content?: unknown; isError?: boolean; id?: string },
  now: number,
): SessionMessage {
  const { messageId, toolUseId, content, isError } = notification;
  const block: MessageBlock = {
    type: "tool_result",
    toolUseId,
    ...(content === undefined ? {} : { content: blockContent(content) }),
    ...(isError === undefined ? {} : { isError }),
  };
  return {
    id: notification.id ?? `${messageId}:${toolUseId}`,
    role: "tool",
    content: [block],
    createdAt: now,
    updatedAt: now,
    parentId: messageId,
  };
}

/** Tools may return any JSON; a message holds text or blocks. */
function blockContent(content: unknown): string | MessageBlock[] {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? (content as MessageBlock[]) : JSON.stringify(content);
}

/** The text of a message: that of its blocks. */
export function messageText({ content }: SessionMessage): string {
  return content
    .flatMap((block) => (block.type === "text" && typeof block.text === "string" ? [block.text] : []))
    .join("\n");
}

/** A title from the first prompt, for sessions whose agent gives none: the first line, cut to `titleChars`. */
export function titleFrom(text: string): string | undefined {
  const [line = ""] = text.trim().split("\n", 1);
  return line === ""
    ? undefined
    : line.length <= SERVING_LIMITS.titleChars
      ? line
      : `${line.slice(0, SERVING_LIMITS.titleChars - 1)}…`;
}
