import { METHODS } from "@daemon-sdk/protocol";
import { agentParamsOf, askedFor, pickSettings } from "../../conversation/index.js";
import { callAgent } from "./agent-calls.js";
import { handle } from "./handler.js";

/** What is changed on a session, with or without an agent (docs/wire/session.md#session-calls). */
export const SETTINGS_HANDLERS = [
  handle("updateSessionSettings", async (params, { sessions, host, requestId }) => {
    const session = await sessions.load(params.sessionId);
    host.rules.checkChange(session.row.owner, params);
    host.services.storedRoom.check(session.id, session.row.owner);
    const settings = pickSettings(params);
    const agentParams = agentParamsOf(params);
    const changed = { ...agentParams, ...settings };
    if (session.agent.current === undefined) {
      // The next agent starts with them.
      session.notify({ type: "settings_updated", requestId, settings: { ...changed } });
    } else {
      await callAgent(
        session,
        METHODS.updateSessionSettings.name,
        { ...changed },
        METHODS.updateSessionSettings.timeoutMs,
      );
    }
    session.patch(askedFor(session.row, settings));
    if (agentParams !== undefined) session.patch({ agentParams: { ...session.row.agentParams, ...agentParams } });
    if (settings.tags !== undefined) session.patch({ tags: settings.tags });
    await session.log.commit();
    return { result: {} };
  }),

  handle("renameSession", async ({ sessionId, title }, { sessions, host, requestId }) => {
    const session = await sessions.load(sessionId);
    host.services.storedRoom.check(session.id, session.row.owner);
    session.notify({ type: "session_title_updated", requestId, title, updateType: "user" });
    await session.log.commit();
    // So that its own next title is not the old one; an agent that cannot does no harm.
    session.agent.current?.call(METHODS.renameSession.name, { title }, METHODS.renameSession.timeoutMs).catch(() => {});
    return { result: { success: true } };
  }),

  handle("archiveSession", async ({ sessionId }, { sessions, host }) => {
    const { archivedAt = host.services.now() } = await sessions.rowOf(sessionId);
    await sessions.patch(sessionId, { archivedAt });
    return { result: { success: true, archivedAt: new Date(archivedAt).toISOString() } };
  }),

  handle("unarchiveSession", async ({ sessionId }, { sessions }) => {
    await sessions.patch(sessionId, { archivedAt: undefined });
    return { result: { success: true } };
  }),
];
