/** A daemon behind a gateway with frames of its own over TCP: another transport, the same sessions. */
import { connectDaemon } from "@daemon-sdk/client";
import { connectLocal } from "@daemon-sdk/client/local";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";
import { dialTcp, openGateway } from "./transports/tcp.js";

await using scratch = await openScratch();
await using local = await connectDaemon();
const gateway = await openGateway(async () => (await connectLocal()).transport);

{
  await using connection = await connectDaemon({
    transport: dialTcp(),
    url: `tcp://127.0.0.1:${gateway.port}`,
    // The gateway authenticates nobody. A program with access to the daemon creates tickets, each valid for one connection.
    ticket: async () => (await local.createTicket()).ticket,
  });
  await using session = await connection.createSession({ cwd: scratch.workspace });
  for await (const event of session.stream("read notes.md")) printEvent("gateway", event);
}
await gateway.close();
