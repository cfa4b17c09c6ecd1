import { connectDaemon } from "@daemon-sdk/client";
import { DaemonError } from "@daemon-sdk/protocol";
import { expect, test } from "vitest";
import { startDaemonProcess } from "../support/daemon-process.js";

/** An agent that refuses what a session's clients ask it beside turns. */
const REFUSING = `
  const send = (frame) => console.log(JSON.stringify({ jsonrpc: "2.0", factoryApiVersion: "1.0.0", type: "response", ...frame }));
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params } = JSON.parse(line);
    const settings = { modelId: "m", reasoningEffort: "none" };
    if (method === "droid.initialize_session") send({ id, result: { sessionId: params.sessionId, session: { messages: [] }, settings } });
    else send({ id, error: { code: -32602, message: "The skills of this project cannot be read." } });
  });`;

test("an agent's refusal reaches the caller in the agent's words, wrapped once", async () => {
  const refusing = { command: [process.execPath, "-e", REFUSING] };
  await using daemon = await startDaemonProcess({ agents: { refusing }, defaultAgent: "refusing" });
  await using connection = await connectDaemon({ url: daemon.url, token: daemon.token });
  const session = await connection.createSession({ cwd: process.cwd() });
  const error: unknown = await session.listSkills().catch((reason: unknown) => reason);
  expect(DaemonError.is(error)).toBe(true);
  expect((error as Error).message).toBe(
    "daemon.list_skills failed: The skills of this project cannot be read. (code -32602).",
  );
});
