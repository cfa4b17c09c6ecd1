/** Interactive use: text as it is written, tools as they run, one result at the end. */
import { connectDaemon } from "@daemon-sdk/client";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
await using connection = await connectDaemon();
await using session = await connection.createSession({ cwd: scratch.workspace });

const prompt = "list ; then read notes.md ; then say The answer is in the notes.";
for await (const event of session.stream(prompt, { includePartialMessages: true })) {
  if (event.type === "assistant_text_delta") process.stdout.write(event.text);
  if (event.type === "assistant_text_complete") process.stdout.write("\n");
  if (event.type === "tool_call") console.log(`→ ${event.toolUse.name} ${JSON.stringify(event.toolUse.input)}`);
  if (event.type === "result") console.log(`${event.subtype} after ${Math.round(event.durationMs)} ms`);
}
