/** A turn under an AbortSignal: on abort the turn is interrupted, and the loop throws the signal's reason. */
import { connectDaemon } from "@daemon-sdk/client";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
await using connection = await connectDaemon();
await using session = await connection.createSession({ cwd: scratch.workspace });

const controller = new AbortController();
let deltas = 0;
try {
  const options = { includePartialMessages: true, abortSignal: controller.signal };
  for await (const event of session.stream("count 1000 every 20", options)) {
    if (event.type === "assistant_text_delta") deltas += 1;
    if (deltas === 5) controller.abort(new Error("five are enough"));
  }
} catch (error) {
  console.log(`stopped after ${deltas} deltas: ${error instanceof Error ? error.message : String(error)}`);
}

// The session is free again at once.
for await (const event of session.stream("say Ready for more.")) {
  if (event.type === "result") console.log(`${event.subtype}: ${event.text}`);
}
