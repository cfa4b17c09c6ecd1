import { handle } from "./handler.js";

/** Credentials for pages (docs/protocol.md §3, "Tickets"). */
export const TICKET_HANDLERS = [
  handle("createTicket", (_params, { client, tickets }) => ({ result: tickets.create(client.principal) })),
];
