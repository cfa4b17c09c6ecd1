/** Interrupts a long turn, disconnects, and resumes the same conversation over a new connection. */
import { connectDaemon } from "@daemon-sdk/client";
import { printEvent } from "./print-event.js";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
const sessionId = await startAndInterrupt();
await comeBack(sessionId);

async function startAndInterrupt(): Promise<string> {
  await using connection = await connectDaemon();
  const session = await connection.createSession({ cwd: scratch.workspace });
  let deltas = 0;
  for await (const event of session.stream("count 1000 every 20", { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta" && ++deltas === 5) await session.interrupt();
    printEvent("first ", event);
  }
  // Detached and not closed: the session continues.
  await session.detach();
  return session.sessionId;
}

async function comeBack(id: string): Promise<void> {
  await using connection = await connectDaemon();
  await using session = await connection.resumeSession(id);
  for await (const event of session.stream("recall")) printEvent("second", event);
}
