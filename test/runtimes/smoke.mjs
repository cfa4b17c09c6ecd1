/**
 * What each runtime has to do: a client and a fake daemon over memory, then a client over a WebSocket to the real daemon whose URL
 * and workspace the arguments tell. Ends with exit code 0, or with the error. Plain JavaScript: it runs as it stands everywhere.
 */
import { connectDaemon } from "@daemon-sdk/client";
import { FakeDaemon, memoryTransport, transportContract } from "@daemon-sdk/testing";

const [url, ticket, cwd] = process.argv.slice(2);

await contractOverMemory();
await clientOverMemory();
await clientOverWebSocket();
console.log("smoke: all well");

async function contractOverMemory() {
  const bounds = { highWaterBytes: 64 * 1024, maxMessageBytes: 256 * 1024 };
  for (const { run } of transportContract) await run({ ...bounds, connect: async () => memoryTransport(bounds) });
}

async function clientOverMemory() {
  const daemon = new FakeDaemon();
  daemon.onPrompt((prompt) => {
    prompt.delta("Hello, ");
    prompt.delta("world.");
    prompt.message();
  });
  const connection = await connectDaemon({ transport: daemon.dial, apiKey: "any" });
  const session = await connection.createSession();
  expect(await answerOf(session, "Greet me"), "Hello, world.");
  await connection.close();
}

async function clientOverWebSocket() {
  const connection = await connectDaemon({ url, ticket });
  const session = await connection.createSession({ cwd });
  expect(await answerOf(session, "say Good morning."), "Good morning.");
  const [other, again] = await Promise.all([connection.createSession({ cwd }), connection.listOpenedSessions()]);
  expect(again.length > 0, true);
  await other.close();
  await session.close();
  await connection.close();
}

async function answerOf(session, prompt) {
  let text = "";
  for await (const event of session.stream(prompt, { includePartialMessages: true })) {
    if (event.type === "assistant_text_delta") text += event.text;
    if (event.type === "result") expect(event.text, text);
  }
  return text;
}

function expect(actual, expected) {
  if (actual !== expected) throw new Error(`Expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}.`);
}
