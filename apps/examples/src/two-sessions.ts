/** Two agents at work at the same time, on one socket. Each stream sees its own session and nothing else. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { connectDaemon } from "@daemon-sdk/client";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
await using connection = await connectDaemon();

await Promise.all([
  work("red", "count 4 every 30 ; then say red is done"),
  work("blue", "count 4 every 30 ; then say blue is done"),
]);

async function work(name: string, prompt: string): Promise<void> {
  const cwd = join(scratch.workspace, name);
  mkdirSync(cwd);
  await using session = await connection.createSession({ cwd });
  for await (const event of session.stream(prompt)) printEvent(name.padEnd(4), event);
}
