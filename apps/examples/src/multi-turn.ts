/** A conversation: the agent has the earlier turns. */
import { connectDaemon } from "@daemon-sdk/client";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
await using connection = await connectDaemon();
await using session = await connection.createSession({ cwd: scratch.workspace });

for (const prompt of ["say My favourite number is 42.", "search 42 in .", "recall"]) {
  console.log(`you    ${prompt}`);
  for await (const event of session.stream(prompt)) printEvent("agent", event);
}
