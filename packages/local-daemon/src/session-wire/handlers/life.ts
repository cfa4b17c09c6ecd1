import { handle } from "./handler.js";

/** Whether anybody is at home (docs/protocol.md §12, "Life"). */
export const LIFE_HANDLERS = [
  // Here and not in the connection: that the socket is open says nothing of the loop that serves the sessions.
  handle("ping", () => ({ result: {} })),
];
