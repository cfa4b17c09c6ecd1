import type { SessionId } from "@daemon-sdk/protocol";
import type { Store } from "../storage/index.js";
import type { Session } from "./session.js";

/** What is read of the turns of a session. */
export type TurnStore = Pick<Store, "readTurn" | "turnsBelow" | "readMessage" | "readMessagesFrom" | "readEntries">;

/**
 * The stored turns of a session, and what could not be stored of them as long as the daemon has it: while a disk is full, the
 * store says of a turn that ended that it runs, and a client would wait for its end.
 *
 * @param session undefined when the session is not open: everything is stored then
 */
export function turnStore(store: Store, session: Session | undefined): TurnStore {
  if (session === undefined) return store;
  const { log, turns } = session;
  return {
    readTurn: async (id, turnId) => log.unstoredTurn(turnId) ?? (await store.readTurn(id, turnId)),
    turnsBelow: async (id, ordinal, limit) =>
      (await store.turnsBelow(id, ordinal, limit)).map((row) => turns.find(row.id) ?? log.unstoredTurn(row.id) ?? row),
    readMessage: async (id, messageId) => log.unstoredMessage(messageId) ?? (await store.readMessage(id, messageId)),
    readMessagesFrom: (id, messageId, maxBytes) => store.readMessagesFrom(id, messageId, maxBytes),
    readEntries: (_: SessionId, fromSeq, maxBytes) => log.readPage(fromSeq, maxBytes),
  };
}
