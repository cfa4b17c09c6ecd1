/** Headless use: hand over a prompt, go away, and read the answer later, from another connection. */
import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
const sessionId = await handOver("read notes.md ; then count 5 every 100 ; then say All done.");
console.log(`handed over to session ${sessionId}; not connected any more`);

await using connection = await connectDaemon();
console.log(`answer: ${await answerOf(connection, sessionId)}`);

async function handOver(prompt: string): Promise<string> {
  await using connection = await connectDaemon();
  const session = await connection.createSession({ cwd: scratch.workspace });
  // Resolves when the daemon has stored the message: from here on it is the daemon's to do.
  await session.send(prompt);
  await session.detach();
  return session.sessionId;
}

async function answerOf(connection: DaemonConnection, id: string): Promise<string> {
  await using session = await connection.resumeSession(id);
  const turnEnded = new Promise<void>((resolve) => {
    session.onNotification(() => resolve(), { type: "agent_turn_completed" });
  });
  // It may have ended before we came; then there is nothing to wait for.
  const opened = await connection.listOpenedSessions();
  const isBusy = opened.some((row) => row.sessionId === id && row.workingState !== "idle");
  if (isBusy) await turnEnded;
  const { messages } = await session.getMessages({ role: "assistant" });
  const blocks = messages.at(-1)?.content ?? [];
  return blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("");
}
