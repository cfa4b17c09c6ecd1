import { hostname } from "node:os";
import type { Credit } from "@daemon-sdk/protocol";
import { sessionNotIdle } from "../../refusals.js";
import { handle } from "./handler.js";

/** Making, loading and leaving sessions (docs/wire/session.md#start-of-a-session; docs/protocol.md, "Detach"). */
export const LIFECYCLE_HANDLERS = [
  handle("initializeSession", async (params, { client, sessions, host }) => {
    // Only a client that read our capabilities knows of these keys.
    if (params.agent !== undefined || isOurs(params)) client.isPlain = false;
    const { session, isNew } = await sessions.initialize(params);
    const { row, availableModels } = session;
    const cursor = isNew ? client.attachNew(session, params) : undefined;
    const attached = isNew ? undefined : await client.attach(host, session, { credit: params.credit });
    const result = {
      sessionId: session.id,
      hostId: hostname(),
      // Without the history of an older session of that id: it takes `load_session` to bring that back.
      session: { messages: [], ...(row.title === undefined ? {} : { title: row.title }) },
      settings: row.settings,
      cwd: row.cwd,
      ...(availableModels === undefined ? {} : { availableModels: [...availableModels] }),
      position: attached?.result.position ?? { epoch: session.log.epoch, seq: 0 },
    };
    return { result, after: () => (attached ?? cursor)?.start(), undo: () => client.detach(session) };
  }),

  handle("loadSession", async (params, { client, sessions, host }) => {
    if (isOurs(params) || params.cwd !== undefined) client.isPlain = false;
    const { owner } = await sessions.rowOf(params.sessionId);
    host.rules.checkChange(owner, { mcpServers: params.mcpServers });
    const cwd = params.cwd === undefined ? undefined : await host.rules.workingDirectory(params.cwd, owner);
    const session = await sessions.reopen(params.sessionId);
    if (cwd !== undefined) await session.move(cwd);
    if (params.mcpServers !== undefined) session.patch({ mcpServers: params.mcpServers });
    if (params.disableInactivityTimeout !== undefined) session.keepsAgent = params.disableInactivityTimeout;
    const attached = await client.attach(host, session, params);
    return { result: { ...attached.result, hostId: hostname() }, after: attached.start, undo: attached.cancel };
  }),

  handle("closeSession", async ({ sessionId }, { client, sessions, host }) => {
    const session = await sessions.find(sessionId);
    if (session !== undefined) {
      // `session_closed` is for the others: this one gets its answer.
      client.detach(session);
      await host.close(session);
    }
    return { result: {} };
  }),

  handle("deleteSession", async ({ sessionId, force = false }, { client, sessions, host }) => {
    const session = await sessions.find(sessionId);
    if (session?.turns.isBusy === true && !force) throw sessionNotIdle(session.id);
    // As of `closeSession`.
    if (session !== undefined) client.detach(session);
    await host.delete(sessionId, { force });
    return { result: {} };
  }),

  handle("detachSession", async ({ sessionId }, { client, sessions }) => {
    client.isPlain = false;
    const session = await sessions.find(sessionId);
    if (session !== undefined) client.detach(session);
    return { result: {} };
  }),

  handle("resumeSession", async ({ sessionId, after, credit }, { client, sessions, host }) => {
    client.isPlain = false;
    const { result, start, cancel } = await client.resume(host, await sessions.reopen(sessionId), after, credit);
    return { result, after: start, undo: cancel };
  }),

  handle("followSession", async ({ sessionId, credit }, { client, sessions, host }) => {
    client.isPlain = false;
    const { result, start, cancel } = await client.follow(host, await sessions.load(sessionId), credit);
    return { result, after: start, undo: cancel };
  }),
];

/** Whether a client shows by these params that it has read our capabilities. */
function isOurs({ inbox, credit }: { inbox?: boolean; credit?: Credit }): boolean {
  return inbox === true || credit !== undefined;
}
