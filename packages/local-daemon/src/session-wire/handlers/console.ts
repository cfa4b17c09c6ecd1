import { handle } from "./handler.js";

/** The console (docs/protocol.md §3, "Console"). */
export const CONSOLE_HANDLERS = [
  handle("openConsole", async (_params, { client, openConsole }) => ({ result: await openConsole(client.principal) })),
];
