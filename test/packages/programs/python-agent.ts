/** Works with the agent `python` of the daemon's configuration: a turn, a permission, an interrupt. Prints how each ended. */
import { connectDaemon } from "@daemon-sdk/client";

const connection = await connectDaemon();
const session = await connection.createSession({
  agent: "python",
  cwd: process.cwd(),
  permissionHandler: ({ options }) => options.find(({ value }) => value === "proceed_once")?.value ?? "cancel",
});
for (const prompt of ["Hello from Python.", "delete it", "wait a while"]) {
  for await (const event of session.stream(prompt, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta" && prompt.startsWith("wait")) void session.interrupt();
    if (event.type === "result") console.log(`${event.subtype}: ${event.text}`);
  }
}
await session.close();
await connection.close();
