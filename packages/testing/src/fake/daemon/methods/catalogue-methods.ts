import type { SessionMessage } from "@daemon-sdk/protocol";
import { optionalString, requiredString, utf8BytesOf } from "../../wire/index.js";
import { type FakeCall, type FakeMethod, sessionOf, sessionsFor } from "../calls.js";
import type { FakeSession } from "../session.js";
import { applySettings } from "./session-methods.js";

/**
 * Methods that list and change sessions (docs/wire/session.md#session-calls), and those of tools and servers
 * (docs/wire/session.md#mcp-and-skills).
 */
export const CATALOGUE_METHODS: ReadonlyMap<string, FakeMethod> = new Map<string, FakeMethod>([
  ["list_opened_sessions", listOpenedSessions],
  ["list_available_sessions", listAvailableSessions],
  ["search_sessions", searchSessions],
  ["get_session_messages", getSessionMessages],
  ["rename_session", renameSession],
  ["archive_session", archiveSession],
  ["unarchive_session", unarchiveSession],
  ["update_session_settings", updateSessionSettings],
  ["fork_session", (call) => ({ newSessionId: copyOf(call, sessionOf(call).messages).id })],
  ["compact_session", compactSession],
  ["get_rewind_info", getRewindInfo],
  ["execute_rewind", executeRewind],
  ["get_context_breakdown", getContextBreakdown],
  ["list_mcp_servers", (call) => sessionOf(call) && { servers: [], summary: NO_SERVERS }],
  ["list_mcp_tools", (call) => sessionOf(call) && { tools: [] }],
  ["list_skills", (call) => sessionOf(call) && { skills: [] }],
  ["add_mcp_server", serverChanged],
  ["remove_mcp_server", serverChanged],
  ["toggle_mcp_server", serverChanged],
  ["authenticate_mcp_server", serverChanged],
  ["list_files", (call) => sessionOf(call) && { files: [] }],
  ["get_git_diff", (call) => sessionOf(call) && NO_REPOSITORY],
  ["get_default_settings", () => ({ availableModels: [] })],
  ["list_models", () => ({ models: [] })],
]);

const NO_REPOSITORY = {
  success: false,
  unavailableReason: "not_git_repository",
  unavailableMessage: "The fake daemon has no repositories.",
};
const NO_SERVERS = { total: 0, connected: 0, connecting: 0, failed: 0 };
const EPOCH_SECONDS = 1_700_000_000;

function listOpenedSessions(call: FakeCall): unknown {
  const opened = sessionsFor(call).filter((session) => session.isOpen);
  return { sessions: opened.map((session) => ({ ...rowOf(session), workingState: session.workingState })) };
}

/** Newest first, in reverse order of their addition. `endBefore` is ignored, because all have the same time. */
function listAvailableSessions(call: FakeCall): unknown {
  const { params } = call;
  const limit = typeof params.limit === "number" ? params.limit : 50;
  const all = sessionsFor(call).reverse();
  const sessions = all.slice(0, limit).map((session) => ({
    ...rowOf(session),
    ...(session.title === undefined ? {} : { title: session.title }),
    ...(session.archivedAt === undefined ? {} : { archivedAt: session.archivedAt }),
  }));
  return { sessions, hasMore: all.length > limit };
}

function rowOf(session: FakeSession) {
  return {
    sessionId: session.id,
    cwd: session.cwd,
    updatedAt: EPOCH_SECONDS,
    messagesCount: session.messages.length,
  };
}

function searchSessions(call: FakeCall): unknown {
  const query = requiredString(call.params, "query");
  const sessions = sessionsFor(call).flatMap((session) => {
    const found = session.messages.filter((message) => textOf(message).includes(query));
    const hits = found.map((message) => ({ docId: message.id, kind: "message_text", snippets: [textOf(message)] }));
    return hits.length > 0 ? [{ sessionId: session.id, hits }] : [];
  });
  return { query, sessions };
}

function textOf(message: SessionMessage): string {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

/** What a page holds of messages, as JSON; at least one message (docs/protocol.md §6). */
const PAGE_BYTES = 512 * 1024;

/** Newest page first; the cursor is the number of messages already returned. */
function getSessionMessages(call: FakeCall): unknown {
  const limit = typeof call.params.limit === "number" ? call.params.limit : 20;
  const role = optionalString(call.params, "role");
  const given = Number(optionalString(call.params, "cursor") ?? 0);
  const all = sessionOf(call).messages.filter((message) => role === undefined || message.role === role);
  const messages = fittingEnd(all.slice(0, all.length - given).slice(-limit), PAGE_BYTES);
  const returned = given + messages.length;
  const hasMore = returned < all.length;
  return { messages, hasMore, ...(hasMore ? { nextCursor: String(returned) } : {}) };
}

/** The newest messages that fit, at least one. */
function fittingEnd(messages: readonly SessionMessage[], maxBytes: number): SessionMessage[] {
  const fitting: SessionMessage[] = [];
  let bytes = 0;
  for (const message of messages.toReversed()) {
    bytes += utf8BytesOf(message);
    if (fitting.length > 0 && bytes > maxBytes) break;
    fitting.unshift(message);
  }
  return fitting;
}

function renameSession(call: FakeCall): unknown {
  const session = sessionOf(call);
  const title = requiredString(call.params, "title");
  session.title = title;
  session.notify({ type: "session_title_updated", requestId: call.id, title });
  return { success: true };
}

function archiveSession(call: FakeCall): unknown {
  const archivedAt = new Date(EPOCH_SECONDS * 1000).toISOString();
  sessionOf(call).archivedAt = archivedAt;
  return { success: true, archivedAt };
}

function unarchiveSession(call: FakeCall): unknown {
  sessionOf(call).archivedAt = undefined;
  return { success: true };
}

function updateSessionSettings(call: FakeCall): unknown {
  const session = sessionOf(call);
  const settings = applySettings(session, call.params);
  session.notify({ type: "settings_updated", requestId: call.id, settings });
  return {};
}

function compactSession(call: FakeCall): unknown {
  const { messages } = sessionOf(call);
  return { newSessionId: copyOf(call, messages.slice(-1)).id, removedCount: Math.max(0, messages.length - 1) };
}

function getRewindInfo(call: FakeCall): unknown {
  sessionOf(call);
  requiredString(call.params, "messageId");
  return { availableFiles: [], createdFiles: [], evictedFiles: [] };
}

function executeRewind(call: FakeCall): unknown {
  const messageId = requiredString(call.params, "messageId");
  const { messages } = sessionOf(call);
  const index = messages.findIndex((message) => message.id === messageId);
  const copy = copyOf(call, messages.slice(0, Math.max(0, index)));
  return {
    newSessionId: copy.id,
    restoredCount: 0,
    deletedCount: 0,
    failedRestoreCount: 0,
    failedDeleteCount: 0,
  };
}

/** A new session, which the caller has to load. The old one is kept (docs/wire/session.md#session-calls). */
function copyOf(call: FakeCall, messages: readonly SessionMessage[]): FakeSession {
  const { cwd, settings, key } = sessionOf(call);
  return call.daemon.addSession({ cwd, settings, messages, ...(key === undefined ? {} : { key }) });
}

function getContextBreakdown(call: FakeCall): unknown {
  const { modelId } = sessionOf(call).settings;
  const budget = { contextBudget: 100_000, usedTokens: 0, freeTokens: 100_000 };
  return { modelId, modelDisplayName: modelId, ...budget, categories: [], skills: [], mcpServers: [], droids: [] };
}

function serverChanged(call: FakeCall): unknown {
  sessionOf(call);
  return { success: true };
}
