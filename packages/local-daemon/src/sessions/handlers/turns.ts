import { handle } from "./handler.js";

/** Prompts and interrupts (session spec §5.4). Neither needs the session to be loaded on this connection. */
export const TURN_HANDLERS = [
  handle("addUserMessage", async (params, { client, sessions, requestId }) => {
    const session = await sessions.load(params.sessionId);
    await session.turns.add(params, requestId, client);
    return { result: {} };
  }),

  handle("interruptSession", async ({ sessionId }, { sessions }) => {
    // A session that is not open has nothing to interrupt; one that does not exist is an error.
    await (await sessions.find(sessionId))?.turns.interrupt();
    return { result: {} };
  }),
];
