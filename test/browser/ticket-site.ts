import { connectDaemon } from "@daemon-sdk/client";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.js";
import { PageServer } from "./page-server.js";

/** A real daemon, and a site whose page it lets in: `POST /ticket` there hands out tickets. */
export interface TicketSite extends AsyncDisposable {
  readonly origin: string;
  readonly daemon: DaemonProcess;
  /** Every ticket that was handed out. */
  readonly tickets: readonly string[];
  createTicket(): Promise<string>;
}

/** Starts both. The site holds the one lasting connection, as a service's back end does. */
export async function openTicketSite(): Promise<TicketSite> {
  const tickets: string[] = [];
  const site = await PageServer.open("client-page.ts", async ({ url }, response) => {
    if (url === "/ticket") response.end(await createTicket());
    else response.writeHead(404).end();
  });
  const daemon = await startDaemonProcess({ allowedOrigins: [site.origin] });
  const own = await connectDaemon();

  async function createTicket(): Promise<string> {
    const { ticket } = await own.createTicket();
    tickets.push(ticket);
    return ticket;
  }

  return {
    origin: site.origin,
    daemon,
    tickets,
    createTicket,
    async [Symbol.asyncDispose]() {
      await own.close();
      await daemon.stop();
      await site[Symbol.asyncDispose]();
    },
  };
}
