import { handle } from "./handler.js";

/** Prompts and interrupts (session spec §5.4). Neither needs the session to be loaded on this connection. */
export const TURN_HANDLERS = [
  handle("addUserMessage", async (params, { client, host, requestId }) => {
    const session = await host.load(params.sessionId);
    await session.turns.add(params, requestId, client);
    return { result: {} };
  }),

  handle("interruptSession", async ({ sessionId }, { host }) => {
    const session = host.find(sessionId);
    // A session that is not open has nothing to interrupt; one that does not exist is an error.
    if (session === undefined) await host.rowOf(sessionId);
    else await session.turns.interrupt();
    return { result: {} };
  }),
];
