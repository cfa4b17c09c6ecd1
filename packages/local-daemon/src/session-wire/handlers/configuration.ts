import { notAllowed } from "../../refusals.js";
import { handle } from "./handler.js";

/** The configuration of the running daemon (docs/protocol.md §3, "Configuration"). */
export const CONFIGURATION_HANDLERS = [
  handle("reloadConfiguration", async ({ check = false }, { client, reload }) => {
    if (client.principal.keyId !== undefined) throw notAllowed("Only the person may reload the configuration.");
    return { result: await reload(check) };
  }),
];
