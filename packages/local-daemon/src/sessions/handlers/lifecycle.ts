import { hostname } from "node:os";
import { handle } from "./handler.js";

/** Making, loading and leaving sessions (session spec §5.2–§5.4; docs/protocol.md, "Detach"). */
export const LIFECYCLE_HANDLERS = [
  handle("initializeSession", async (params, { client, sessions, host }) => {
    // Only a client that read our capabilities knows of these keys.
    if (params.agent !== undefined || params.inbox === true) client.isPlain = false;
    const { session, isNew } = await sessions.initialize(params);
    const { row, availableModels } = session;
    const cursor = isNew ? client.attachNew(session) : undefined;
    const attached = isNew ? undefined : await client.attach(host, session);
    const result = {
      sessionId: session.id,
      hostId: hostname(),
      // Without the history of an older session of that id: it takes `load_session` to bring that back.
      session: { messages: [], ...(row.title === undefined ? {} : { title: row.title }) },
      settings: row.settings,
      cwd: row.cwd,
      ...(availableModels === undefined ? {} : { availableModels: [...availableModels] }),
      position: attached?.snapshot.position ?? { epoch: host.services.epoch, seq: 0 },
    };
    return { result, after: () => (attached ?? cursor)?.start() };
  }),

  handle("loadSession", async (params, { client, sessions, host }) => {
    if (params.inbox === true) client.isPlain = false;
    const session = await sessions.reopen(params.sessionId);
    if (params.mcpServers !== undefined) session.mcpServers = params.mcpServers;
    if (params.disableInactivityTimeout !== undefined) session.keepsAgent = params.disableInactivityTimeout;
    const attached = await client.attach(host, session, { messageLimit: params.messageLimit });
    return { result: { ...attached.snapshot, hostId: hostname() }, after: attached.start };
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

  handle("detachSession", async ({ sessionId }, { client, sessions }) => {
    client.isPlain = false;
    const session = await sessions.find(sessionId);
    if (session !== undefined) client.detach(session);
    return { result: {} };
  }),
];
