/** The daemon of another machine through a program that is started there, as `ssh` does: no port, no key that travels. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connectDaemon } from "@daemon-sdk/client";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";
import { dialCommand } from "./transports/stdio.js";

await using scratch = await openScratch();

// For another machine: ["ssh", "build-host", "node", "stdio-bridge.js"].
const program = process.execPath;
const bridge = fileURLToPath(new URL("stdio-bridge.js", import.meta.url));

await using connection = await connectDaemon({
  transport: dialCommand([program, bridge]),
  // A user who may start the program there may also request a credential, which is valid for one connection.
  ticket: async () => (await promisify(execFile)(program, [bridge, "--ticket"])).stdout.trim(),
});
await using session = await connection.createSession({ cwd: scratch.workspace });
for await (const event of session.stream("read notes.md")) printEvent("remote", event);
