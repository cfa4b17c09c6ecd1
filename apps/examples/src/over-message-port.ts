/**
 * A worker has the links to the daemon, and the main thread uses them through message channels, as in a page whose tabs share
 * one worker. This file is both programs.
 */
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { connectDaemon } from "@daemon-sdk/client";
import { connectLocal } from "@daemon-sdk/client/local";
import { joinTransports } from "@daemon-sdk/protocol";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";
import { dialPort, MessagePortTransport } from "./transports/message-port-transport.js";

if (isMainThread) await main();
else serve();

async function main(): Promise<void> {
  await using scratch = await openScratch();
  await using local = await connectDaemon();
  const worker = new Worker(new URL(import.meta.url));
  {
    await using connection = await connectDaemon({
      transport: dialPort((port) => worker.postMessage(port, [port as never])),
      ticket: async () => (await local.createTicket()).ticket,
    });
    await using session = await connection.createSession({ cwd: scratch.workspace });
    for await (const event of session.stream("read notes.md")) printEvent("worker", event);
  }
  await worker.terminate();
}

/** Each received port is one client. */
function serve(): void {
  parentPort?.on("message", (port: MessagePort) => {
    const daemon = connectLocal().then(({ transport }) => transport);
    joinTransports(new MessagePortTransport(port), daemon);
  });
}
