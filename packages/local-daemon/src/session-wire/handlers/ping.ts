import { handle } from "./handler.js";

/** Whether the daemon answers (docs/protocol.md §12, "Life"). */
export const PING_HANDLERS = [
  // Here and not in the connection: that the socket is open says nothing of the loop that serves the sessions.
  handle("ping", () => ({ result: {} })),
];
