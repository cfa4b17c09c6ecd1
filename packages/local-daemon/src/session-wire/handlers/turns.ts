import { handle } from "./handler.js";
import { receiptOf } from "./receipt-of.js";

/**
 * Prompts and interrupts (docs/wire/session.md#prompts-and-interrupts). Neither needs the session to be loaded on this
 * connection.
 */
export const TURN_HANDLERS = [
  handle("addUserMessage", async (params, { client, sessions, host, requestId, large, trace }) => {
    const session = await sessions.load(params.sessionId);
    host.rules.checkPrompt(session.row.owner, params);
    const known = await session.turns.add(params, { requestId, starter: client, large, trace });
    return { result: known === undefined ? {} : { receipt: receiptOf(known.id, known) } };
  }),

  handle("interruptSession", async ({ sessionId, messageId }, { sessions }) => {
    // On the same way as a message, so that it stays behind the one it was sent behind.
    const session = await sessions.load(sessionId);
    await session.turns.interrupt(messageId);
    return { result: {} };
  }),
];
