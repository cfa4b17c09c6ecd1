import { resolveLocalAuthToken } from "../../src/rendezvous/auth-token.js";
import { readEndpoint } from "../../src/rendezvous/endpoint-file.js";
import { connectTcp } from "../server/daemon-desk.js";
import type { RelayDaemon } from "./relay-daemon.js";

/** The token of the person. */
export async function tokenOf({ stateDir }: RelayDaemon): Promise<string> {
  return (await resolveLocalAuthToken({ stateDir })) ?? "";
}

/** A ticket made by a client of the session protocol. */
export async function ticketFrom(daemon: RelayDaemon, credential: object): Promise<string> {
  const client = await connectTcp((await readEndpoint(daemon.stateDir))?.port ?? 0, credential);
  const { ticket } = await client.result("create_ticket", {});
  client.close();
  return String(ticket);
}

/** A ticket of the person. The daemon must listen on a port. */
export async function personTicket(daemon: RelayDaemon): Promise<string> {
  return ticketFrom(daemon, { token: await tokenOf(daemon) });
}
