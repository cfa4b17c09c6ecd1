/** Headless use: send a prompt, disconnect, and read the answer later over another connection. */
import { connectDaemon, type DaemonConnection } from "@daemon-sdk/client";
import { openScratch } from "./scratch.js";

await using scratch = await openScratch();
const { sessionId, messageId } = await handOver("read notes.md ; then count 5 every 100 ; then say All done.");
console.log(`handed over to session ${sessionId}; not connected any more`);

await using connection = await connectDaemon();
console.log(`answer: ${await answerOf(connection)}`);

async function handOver(prompt: string): Promise<{ sessionId: string; messageId: string }> {
  await using connection = await connectDaemon();
  const session = await connection.createSession({ cwd: scratch.workspace });
  // Resolves when the daemon has stored the message, which then is processed without this client.
  const { messageId } = await session.send(prompt);
  await session.detach();
  return { sessionId: session.sessionId, messageId };
}

async function answerOf(connection: DaemonConnection): Promise<string> {
  await using session = await connection.resumeSession(sessionId);
  // Resolves when the turn has ended, even before this connection.
  await session.waitForReceipt(messageId);
  const { messages } = await session.getMessages({ role: "assistant" });
  const blocks = messages.at(-1)?.content ?? [];
  return blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("");
}
