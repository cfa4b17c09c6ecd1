/**
 * The far end of `dialCommand` (transports/stdio.ts): joins its stdin and stdout with the daemon of the machine it runs on, which
 * it finds or starts. Nothing else may be written to stdout.
 *
 *   ssh build-host node stdio-bridge.js             a link
 *   ssh build-host node stdio-bridge.js --ticket    prints a credential that is good for one link
 *   … --url ws+unix:///run/other.sock:/             another daemon than the one of this user
 */
import { parseArgs } from "node:util";
import { joinTransports, type Transport } from "@daemon-sdk/protocol";
import { dialWebSocket, StreamTransport } from "@daemon-sdk/transport-ws";

const { values } = parseArgs({ options: { ticket: { type: "boolean" }, url: { type: "string" } } });

if (values.ticket) {
  const { connectDaemon } = await import("@daemon-sdk/client");
  await using connection = await connectDaemon();
  console.log((await connection.createTicket()).ticket);
} else {
  const daemon = await dialDaemon(values.url);
  const client = new StreamTransport({ input: process.stdin, output: process.stdout });
  client.ready();
  joinTransports(client, daemon);
}

/** Loads only what the arguments need, because a client waits for this program to start. */
async function dialDaemon(url: string | undefined): Promise<Transport> {
  if (url !== undefined) return dialWebSocket(url);
  return (await (await import("@daemon-sdk/local-daemon")).connectLocal()).transport;
}
